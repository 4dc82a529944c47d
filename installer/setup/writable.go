package setup

import (
	"errors"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// checkWritable fails where another account could exchange what is installed under a root, or the root itself: an account that owns a
// folder above it can rename what is in it. The launcher would refuse to run programs from there.
func checkWritable(l installer.Layout) error {
	if l.System() {
		return nil
	}
	for _, dir := range []string{l.StoreDir(), l.BinDir()} {
		err := host.CheckFolders(dir, filepath.Clean(l.Root))
		if errors.Is(err, host.ErrForeign) {
			return fault.Wrap(fault.Permission, err, "run it as that user, or choose a folder that belongs to you, in folders that belong to you or to root")
		}
		if errors.Is(err, host.ErrWritable) {
			return fault.Wrap(fault.Permission, err, writableHint)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writableHint is the next step for a folder that others may write to.
const writableHint = "chmod go-w on that folder, or choose one of your own"
