//go:build !windows

package main

import (
	"errors"
	"syscall"
)

// isFull tells whether a disk, or what somebody may use of it, is full.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
