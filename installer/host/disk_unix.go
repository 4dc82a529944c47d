//go:build unix

package host

import "syscall"

// diskFaults are the errors of a disk that failed, is read-only or is full.
func diskFaults() []error {
	return []error{syscall.EIO, syscall.EROFS, syscall.ENOSPC, syscall.EDQUOT, syscall.ENXIO, syscall.ENODEV}
}
