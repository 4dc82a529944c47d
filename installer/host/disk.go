package host

import (
	"errors"
	"os"
)

// IsDiskFault reports whether an error says that the disk failed, is read-only or is full: what met it is not to blame.
func IsDiskFault(err error) bool {
	for _, e := range diskFaults() {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// TryDisk reports what is in the way of writing in a folder, if anything is: a small file is made, synced and removed.
func TryDisk(dir string) error {
	f, err := os.CreateTemp(dir, ".try-")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 4096))
	err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
	if synced := SyncDir(dir); !errors.Is(synced, errors.ErrUnsupported) {
		err = errors.Join(err, synced)
	}
	return err
}
