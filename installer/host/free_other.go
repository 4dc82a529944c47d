//go:build !linux && !darwin && !windows

package host

import "errors"

// FreeBytes is the space on the file system of path; this system does not tell.
func FreeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }
