//go:build !linux && !darwin && !windows

package host

import "errors"

// BootID is a text that changes with every boot; this system offers none.
func BootID() (string, error) { return "", errors.ErrUnsupported }
