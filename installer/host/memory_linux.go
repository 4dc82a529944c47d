package host

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// MemoryFolder is the system's folder for files that live until the next boot: /run for root, the account's own below it where a
// login made one; "" where there is none. It is mostly in memory, and so takes files when no disk does.
func MemoryFolder() string {
	dir := "/run"
	if uid := os.Geteuid(); uid != 0 {
		dir = filepath.Join(dir, "user", strconv.Itoa(uid))
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return ""
	}
	return dir
}

// OwnFolder reports whether dir is a folder, not a link to one, that this account owns and no other may read or change.
func OwnFolder(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o077 != 0 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
