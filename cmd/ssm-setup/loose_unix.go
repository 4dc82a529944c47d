//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// errLoose says that others could exchange what is installed there; the launcher would refuse every version but the floor.
var errLoose = fault.New(fault.Permission, "it can be written by its group or by others",
	"chmod go-w on that folder, or choose one of your own")

// refuseLoose looks at the folders of an installation under a root, as far as they are there.
func refuseLoose(l installer.Layout) error {
	if l.System() {
		return nil
	}
	for dir := l.StoreDir(); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o022 != 0 {
			return fmt.Errorf("%w: %s has mode %#o", errLoose, dir, info.Mode().Perm())
		}
		if dir == l.Root {
			return nil
		}
	}
}
