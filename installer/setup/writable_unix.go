//go:build unix

package setup

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer"
)

// checkWritable fails where others could exchange what is installed under a root: it looks at the folders as far as they are there.
func checkWritable(l installer.Layout) error {
	if l.System() {
		return nil
	}
	for dir := l.StoreDir(); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o022 != 0 {
			return fmt.Errorf("%w: %s has mode %#o", ErrWritable, dir, info.Mode().Perm())
		}
		if dir == l.Root {
			return nil
		}
	}
}
