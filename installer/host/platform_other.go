//go:build !linux && !darwin && !windows

package host

import "errors"

func platform() (name, version string, err error) { return "", "", errors.ErrUnsupported }
