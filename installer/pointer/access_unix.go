//go:build unix

package pointer

import (
	"io/fs"
	"os"
	"syscall"
)

// checkAccess refuses what an account other than root and the installation's owner could have made or changed.
func checkAccess(p Paths, path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return unsoundError{path, "has no owner", kindAccess}
	}
	if stat.Uid != 0 && stat.Uid != installationOwner(p) {
		return unsoundError{path, "belongs to neither root nor the installation's owner", kindAccess}
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil // what it points to is looked at by itself
	}
	if info.Mode().Perm()&0o022 != 0 {
		return unsoundError{path, "can be written by its group or by others", kindAccess}
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o111 == 0 {
		return unsoundError{path, "not executable", kindAccess}
	}
	return nil
}

// installationOwner is the owner of the root folder; root for the system.
func installationOwner(p Paths) uint32 {
	if p.Root == "" {
		return 0
	}
	info, err := os.Stat(p.Root)
	if err != nil {
		return 0
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Uid
	}
	return 0
}
