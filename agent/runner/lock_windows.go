package runner

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/windows"
)

// lockAt is the byte that is locked. Windows locks hide what they cover, so it lies far behind the pid in the file.
const lockAt = 1 << 30

// lockJob locks the job for this process until it ends; false: another process has it. The file stays open for good.
func lockJob(dir string) (bool, error) {
	path, err := windows.UTF16PtrFromString(filepath.Join(dir, lockName))
	if err != nil {
		return false, err
	}
	handle, err := windows.CreateFile(path, windows.GENERIC_READ|windows.GENERIC_WRITE,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE, nil, windows.OPEN_ALWAYS, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return false, err
	}
	held, err := lockByte(handle)
	if err != nil || held {
		return false, errors.Join(err, windows.CloseHandle(handle))
	}
	var written uint32
	err = windows.WriteFile(handle, []byte(strconv.Itoa(os.Getpid())+"\n"), &written, nil)
	return err == nil, err
}

// holder tells whether a worker lives, and its pid.
func holder(dir string) (pid int, held bool, err error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	if held, err = lockByte(windows.Handle(f.Fd())); err != nil || !held {
		return 0, false, err
	}
	text := make([]byte, 20)
	n, _ := f.ReadAt(text, 0)
	line, _, _ := strings.Cut(string(text[:n]), "\n")
	pid, _ = strconv.Atoi(line)
	return pid, true, nil
}

// lockByte tries to lock; held: another process has it. A lock taken goes with the handle.
func lockByte(handle windows.Handle) (held bool, err error) {
	flags := uint32(windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY)
	err = windows.LockFileEx(handle, flags, 0, 1, 0, &windows.Overlapped{Offset: lockAt})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return true, nil
	}
	return false, err
}
