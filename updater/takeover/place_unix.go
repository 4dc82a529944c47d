//go:build unix

package takeover

import (
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer"
)

// Place is the folder of this room.
func Place(l installer.Layout) string {
	return filepath.Join(l.Root+"/", "var", "lib", "ssm-setup", "takeover")
}

func private(dir string) error { return os.Chmod(dir, 0o700) }
