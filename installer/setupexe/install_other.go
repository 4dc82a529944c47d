//go:build !windows

package setupexe

import (
	"errors"
	"os"
)

// install needs Windows.
func install(order, string) (int, error) { return 0, errors.ErrUnsupported }

func ownFolder() (string, error) { return os.MkdirTemp("", folderName) }

// removeLater needs Windows.
func removeLater(string) error { return errors.ErrUnsupported }
