package main

import (
	"errors"
	"syscall"

	"golang.org/x/sys/windows"
)

// isFull tells whether a disk is full: Windows has two words for it, and the compiler's are those of other systems.
func isFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) || errors.Is(err, syscall.ENOSPC)
}
