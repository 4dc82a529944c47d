package host

import (
	"os"
	"strconv"
	"syscall"
)

// IsJournal reports whether what is written to f goes to the system's journal, which gives every line its time, and reads a priority
// in front of it: "<3>" for an error, "<4>" for a warning, "<6>" for information (sd-daemon(3)).
func IsJournal(f *os.File) bool {
	stream := os.Getenv("JOURNAL_STREAM") // device and inode, see systemd.exec(5); inherited by programs that write elsewhere
	if stream == "" {
		return false
	}
	info, err := f.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stream == strconv.FormatUint(stat.Dev, 10)+":"+strconv.FormatUint(stat.Ino, 10)
}
