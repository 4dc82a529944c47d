//go:build linux || darwin

package host

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// NoExec reports whether path lies on a file system that is mounted so that no program on it can be executed. Of a path that is not
// there yet its nearest folder decides.
func NoExec(path string) bool {
	var s unix.Statfs_t
	for unix.Statfs(path, &s) != nil {
		if path == filepath.Dir(path) {
			return false
		}
		path = filepath.Dir(path)
	}
	return s.Flags&noExec != 0
}
