package originals

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Names in the folder of this room.
const (
	recordName   = "record"
	packagesName = "packages"
	downloadName = "download"
)

// makePlace makes the folders for their owner alone, and fails where another account could exchange what lies in them.
func makePlace(l installer.Layout) error {
	dir := Place(l)
	for _, d := range []string{filepath.Dir(dir), dir, filepath.Join(dir, packagesName), filepath.Join(dir, downloadName)} {
		mode := os.FileMode(0o700)
		if d == filepath.Dir(dir) {
			mode = 0o755
		}
		if err := os.MkdirAll(d, mode); err != nil {
			return err
		}
	}
	if err := private(dir); err != nil {
		return err
	}
	return host.CheckFolders(dir, l.Root)
}

// dropPlace removes all that this room keeps.
func dropPlace(l installer.Layout) error {
	err := os.RemoveAll(Place(l))
	_ = os.Remove(filepath.Dir(Place(l))) // if nothing else is in it
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
