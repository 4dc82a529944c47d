package host

import (
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile puts data under path whole or not at all: a temporary file beside it, synced, renamed, the folder synced. After nil
// the content survives a power cut. The folder must exist; mode is set whatever the umask.
func WriteFile(path string, data []byte, mode fs.FileMode) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = replace(f.Name(), path); err != nil {
		return err
	}
	return SyncDir(dir)
}
