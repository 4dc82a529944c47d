package runner

import (
	"os"

	"golang.org/x/sys/unix"
)

// How much space is kept for events that are still to come, in bytes: two full streams, twice, whatever their bytes are.
const (
	mostRoom  = 1 << 20
	leastRoom = 16 << 10
)

// reserve keeps space for what is still to be recorded behind the end of f, without making it longer: a script that fills the
// disk must not cost its own result. Where the disk or its file system gives none, there is none.
//
// It asks for less than half of what is free: a reservation that fails takes all of the disk before it gives it back, and what another
// process writes meanwhile, the agent's own state files too, would find no space.
func reserve(f *os.File, end int64) {
	var disk unix.Statfs_t
	if unix.Fstatfs(int(f.Fd()), &disk) != nil {
		return
	}
	for room := int64(mostRoom); room >= leastRoom; room /= 4 {
		if uint64(room) > disk.Bavail*uint64(disk.Bsize)/2 {
			continue
		}
		if err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, end, room); err != unix.ENOSPC {
			return
		}
	}
}
