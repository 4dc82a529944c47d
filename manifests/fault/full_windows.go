package fault

import (
	"errors"
	"syscall"
)

// Windows has two words for a full disk, and package syscall's ENOSPC is a third.
const (
	errorHandleDiskFull = syscall.Errno(39)
	errorDiskFull       = syscall.Errno(112)
)

// full tells whether a disk is full.
func full(err error) bool {
	return errors.Is(err, errorDiskFull) || errors.Is(err, errorHandleDiskFull) || errors.Is(err, syscall.ENOSPC)
}
