//go:build unix && !linux

package host

import "syscall"

// CloseOnExec marks every descriptor from first on, so that no program started later inherits one.
func CloseOnExec(first int) {
	for fd := first; fd < 256; fd++ {
		syscall.CloseOnExec(fd)
	}
}
