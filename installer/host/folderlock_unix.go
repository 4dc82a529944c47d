//go:build unix

package host

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// FolderLock is a lock that this process holds.
type FolderLock struct {
	fd  int
	dir string
}

// TryLock takes the lock of a folder if no other process holds it. With nil, holder and nil another does; a holder of 0 lives
// in another process namespace. Of two that take it in the same moment, the one with the higher id steps back.
func TryLock(dir string) (*FolderLock, int, error) {
	fd, err := openFolder(dir)
	if err != nil {
		return nil, 0, err
	}
	l := &FolderLock{fd, dir}
	holder, held, err := l.acquire()
	if err != nil || held {
		l.Release()
		return nil, holder, err
	}
	return l, 0, nil
}

// acquire asks, locks and asks again. A rival that was there before stays; of two at once the lower id waits for the other to go.
func (l *FolderLock) acquire() (int, bool, error) {
	if holder, held, err := query(l.fd); err != nil || held {
		return holder, held, err
	}
	lock := syscall.Flock_t{Type: syscall.F_RDLCK}
	if err := syscall.FcntlFlock(uintptr(l.fd), syscall.F_SETLK, &lock); err != nil {
		return 0, false, err
	}
	for range 50 {
		holder, held, err := query(l.fd)
		if err != nil || !held {
			return 0, false, err
		}
		if os.Getpid() > holder {
			return holder, true, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return query(l.fd)
}

// Keep looks whether the folder is still the one at its path; where it was removed or moved, it takes the lock anew there. lost: another
// process, the holder, has it by now, so this one has to give way. An error says that it could not be taken; the next call tries again.
func (l *FolderLock) Keep() (holder int, lost bool, err error) {
	if l == nil || l.fd < 0 || l.inPlace(l.fd) {
		return 0, false, nil
	}
	for _, dir := range []string{filepath.Dir(l.dir), l.dir} { // no more: an installation that was removed stays so
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return 0, false, err
		}
	}
	anew, holder, err := TryLock(l.dir)
	if err != nil || anew == nil {
		return holder, err == nil, err
	}
	syscall.Close(l.fd)
	l.fd = anew.fd
	return l.acquire() // again: it was the same folder, if it was moved back meanwhile, and closing it dropped the lock
}

// inPlace reports whether an open folder is the one at the path.
func (l *FolderLock) inPlace(fd int) bool {
	var open, there syscall.Stat_t
	return syscall.Fstat(fd, &open) == nil && syscall.Lstat(l.dir, &there) == nil && open.Dev == there.Dev && open.Ino == there.Ino
}

// Release gives the lock back.
func (l *FolderLock) Release() {
	if l != nil && l.fd >= 0 {
		syscall.Close(l.fd)
		l.fd = -1
	}
}

// Holder names a process, other than this one, that holds the lock of a folder.
func Holder(dir string) (pid int, held bool, err error) {
	fd, err := openFolder(dir)
	if err != nil {
		return 0, false, err
	}
	defer syscall.Close(fd)
	return query(fd)
}

// query has the system name the process that would be in the way of an exclusive lock.
func query(fd int) (int, bool, error) {
	lock := syscall.Flock_t{Type: syscall.F_WRLCK}
	if err := syscall.FcntlFlock(uintptr(fd), syscall.F_GETLK, &lock); err != nil {
		return 0, false, err
	}
	return int(lock.Pid), lock.Type != syscall.F_UNLCK, nil
}

func openFolder(dir string) (int, error) {
	for {
		fd, err := syscall.Open(dir, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0)
		if err == nil {
			return fd, nil
		}
		if !errors.Is(err, syscall.EINTR) {
			return -1, errors.Join(ErrNoFolder, &os.PathError{Op: "open", Path: dir, Err: err})
		}
	}
}
