//go:build unix

package caller

import (
	"io/fs"
	"os"
	"syscall"
)

// private tells whether a file is this account's and no other can read it.
func private(info fs.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Geteuid() && info.Mode().Perm()&0o077 == 0
}
