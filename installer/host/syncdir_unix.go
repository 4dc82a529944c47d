//go:build unix

package host

import (
	"errors"
	"os"
	"syscall"
)

// SyncDir makes the names in a folder survive a power cut. errors.ErrUnsupported: the folder's file system knows no such thing.
func SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) {
		return &os.PathError{Op: "sync", Path: path, Err: errors.ErrUnsupported}
	}
	return err
}
