//go:build linux || darwin

package host

import "golang.org/x/sys/unix"

// FreeBytes is the space on the file system of path that this process may use.
func FreeBytes(path string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}
