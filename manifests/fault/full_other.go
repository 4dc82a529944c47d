//go:build !windows

package fault

import (
	"errors"
	"syscall"
)

// full tells whether a disk, or the caller's share of it, is full.
func full(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
