//go:build !linux && !darwin && !windows

package terminal

import (
	"errors"
	"os"
)

// conceal has a terminal not show what is typed.
func conceal(*os.File) error { return errors.ErrUnsupported }
