package host

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/windows"
)

// FolderLock is a lock that this process holds. On this system it lies on one byte of the file "holder" in the folder, which
// also says who holds it: a lock of the file system, not a named mutex, because any program on the machine may make an object of
// any name first, while the folder's access list decides who may open the file.
type FolderLock struct{ handle windows.Handle }

const (
	lockFile = "holder"
	lockByte = 1 << 30 // far behind the text: locks of this system hide what they cover
	pidWidth = 20
)

// TryLock takes the lock of a folder if no other process holds it. With nil, holder and nil another does; a holder of 0 is not
// known yet.
func TryLock(dir string) (*FolderLock, int, error) {
	handle, err := openLock(dir, windows.GENERIC_READ|windows.GENERIC_WRITE, windows.OPEN_ALWAYS)
	if err != nil {
		return nil, 0, err
	}
	held := true
	for range 20 { // a process that only asks has it for a moment
		if held, err = lock(handle, windows.LOCKFILE_EXCLUSIVE_LOCK); err != nil || !held {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err == nil && !held {
		_ = Private(filepath.Join(dir, lockFile)) // who may not open it cannot take it
		err = record(handle)
	}
	if err != nil || held {
		pid := recorded(handle)
		windows.CloseHandle(handle)
		return nil, pid, err
	}
	return &FolderLock{handle}, 0, nil
}

// Keep is for systems on which a folder can be removed or moved while a process has a file in it open; this one is none.
func (*FolderLock) Keep() (holder int, lost bool, err error) { return 0, false, nil }

// Release gives the lock back.
func (l *FolderLock) Release() {
	if l != nil && l.handle != 0 {
		windows.CloseHandle(l.handle)
		l.handle = 0
	}
}

// Holder names a process, other than this one, that holds the lock of a folder.
func Holder(dir string) (pid int, held bool, err error) {
	handle, err := openLock(dir, windows.GENERIC_READ, windows.OPEN_EXISTING)
	if errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return 0, false, nil // the folder is there, and no process ever held the lock
	}
	if err != nil {
		return 0, false, err
	}
	defer windows.CloseHandle(handle)
	for range 10 {
		if held, err = lock(handle, 0); err != nil || !held {
			return 0, false, err
		}
		if pid = recorded(handle); pid == os.Getpid() {
			return 0, false, nil
		}
		if Alive(pid) {
			return pid, true, nil
		}
		time.Sleep(2 * time.Millisecond) // its new holder is about to say so
	}
	return 0, true, nil
}

func openLock(dir string, access, disposition uint32) (windows.Handle, error) {
	path := filepath.Join(dir, lockFile)
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	handle, err := windows.CreateFile(name, access, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE, nil, disposition,
		windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return 0, errors.Join(ErrNoFolder, &os.PathError{Op: "open", Path: path, Err: err})
	}
	return handle, nil
}

// lock takes the byte, for this handle's life; held: another process has it.
func lock(handle windows.Handle, how uint32) (held bool, err error) {
	err = windows.LockFileEx(handle, how|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &windows.Overlapped{Offset: lockByte})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return true, nil
	}
	return false, err
}

// record writes who holds the lock.
func record(handle windows.Handle) error {
	text := strconv.Itoa(os.Getpid())
	text += strings.Repeat(" ", pidWidth-1-len(text)) + "\n"
	var n uint32
	return windows.WriteFile(handle, []byte(text), &n, &windows.Overlapped{})
}

func recorded(handle windows.Handle) int {
	text := make([]byte, pidWidth)
	var n uint32
	if windows.ReadFile(handle, text, &n, &windows.Overlapped{}) != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	return pid
}
