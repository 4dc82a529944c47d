//go:build !linux && !darwin

package host

import "errors"

// BootID is a text that changes with every boot; this system offers none.
func BootID() (string, error) { return "", errors.ErrUnsupported }
