//go:build unix

package signed

import (
	"fmt"
	"os"
)

// private refuses a file with a secret that other accounts may read.
func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%w: other accounts may read %s (mode %04o): chmod 600 it", ErrKey, path, info.Mode().Perm())
	}
	return nil
}
