package ground

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Write makes a file of these bytes, whole or not at all. See [WriteFrom].
func Write(path string, data []byte, mode fs.FileMode, durable bool) error {
	_, err := WriteFrom(path, bytes.NewReader(data), mode, durable)
	return err
}

// WriteFrom makes a file of everything src holds, whole or not at all: it goes to ".new-…" beside path and is renamed when
// src has ended without an error. A durable file is synced with its folder, so that it outlives a power cut. The error of
// src comes back as it is; the temporary file is removed. A killed process leaves one behind.
func WriteFrom(path string, src io.Reader, mode fs.FileMode, durable bool) (size int64, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name()) // gone after the rename
	size, err = io.Copy(f, src)
	if err == nil && durable {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(f.Name(), mode)
	}
	if err != nil {
		return 0, err
	}
	if !durable {
		return size, os.Rename(f.Name(), path)
	}
	return size, Name(f.Name(), path)
}

// Name gives a finished, synced file its name and syncs the folder, where the system can.
func Name(finished, path string) error {
	if err := os.Rename(finished, path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	_ = d.Sync() // not every system can sync a folder
	return nil
}
