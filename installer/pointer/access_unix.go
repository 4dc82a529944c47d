//go:build unix

package pointer

import (
	"io/fs"
	"os"
	"syscall"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// checkAccess refuses a file that an account other than root and this one could have made or changed.
func checkAccess(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return unsoundError{path, "has no owner", kindAccess}
	}
	if stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return unsoundError{path, "belongs to neither root nor this account", kindAccess}
	}
	if info.Mode().Perm()&0o022 != 0 {
		return unsoundError{path, "can be written by its group or by others", kindAccess}
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o111 == 0 {
		return unsoundError{path, "not executable", kindAccess}
	}
	return nil
}

// checkFolders looks at every folder on the way to dir, as the path names them and where links lead.
func checkFolders(p Paths, dir string) error {
	root := p.Root
	if root == "" {
		root = "/"
	}
	if err := host.CheckFolders(dir, root); err != nil {
		return unsoundError{dir, err.Error(), kindAccess}
	}
	return nil
}
