//go:build unix

package setup

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/ssm-setup/ssm-setup/installer"
)

// checkWritable fails where another account could exchange what is installed under a root, or the root itself: an account that owns a
// folder above it can rename what is in it. It looks at the folders that are there, from the installation's own up to /, as the path
// names them and where links lead.
func checkWritable(l installer.Layout) error {
	if l.System() {
		return nil
	}
	for _, dir := range []string{l.StoreDir(), l.BinDir()} {
		if err := checkFolders(dir, l.Root, os.Geteuid()); err != nil {
			return err
		}
	}
	if real := resolve(l.Root); real != l.Root {
		return checkFolders(real, real, os.Geteuid())
	}
	return nil
}

// resolve is where a path leads, as far as it is there.
func resolve(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if path == filepath.Dir(path) {
		return path
	}
	return filepath.Join(resolve(filepath.Dir(path)), filepath.Base(path))
}

func checkFolders(dir, root string, uid int) error {
	for inside := true; ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil {
			if err := checkFolder(dir, info, inside, uid); err != nil {
				return err
			}
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
		inside = inside && dir != root
	}
}

// checkFolder judges one folder: it belongs to root, or to the account that installs. Inside of the installation no other account may
// write; above it one may where a sticky folder of root's protects what is in it, and the group of an account that is not root may.
func checkFolder(dir string, info os.FileInfo, inside bool, uid int) error {
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	if owner != 0 && owner != uid {
		return fmt.Errorf("%w: %s belongs to user %d", ErrForeign, dir, owner)
	}
	loose := info.Mode().Perm() & 0o022
	switch {
	case loose == 0, !inside && owner == 0 && info.Mode()&os.ModeSticky != 0, !inside && uid != 0 && loose == 0o020:
		return nil
	}
	return fmt.Errorf("%w: %s has mode %#o", ErrWritable, dir, info.Mode().Perm())
}
