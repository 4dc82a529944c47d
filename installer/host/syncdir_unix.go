//go:build unix

package host

import "os"

// SyncDir makes the names in a folder survive a power cut.
func SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
