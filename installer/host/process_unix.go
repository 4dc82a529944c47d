//go:build unix

package host

import (
	"errors"
	"syscall"
)

// Alive reports whether a process with this id runs. One that ended and was not waited for yet does not.
func Alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return false
	}
	return !ended(pid)
}

// KillGroup kills the process group that pid leads; no such group is no error.
func KillGroup(pid int) error {
	if pid <= 1 {
		return syscall.EINVAL
	}
	if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}
