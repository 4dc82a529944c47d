package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
)

// Folder is a target on this machine; the tree below it is that of the bucket. The tag of an object is its SHA-256.
func Folder(dir string) Target { return kept{&folder{dir: dir, written: map[string]bool{}}} }

type folder struct {
	dir string

	mu      sync.Mutex
	written map[string]bool // folders with names that may not be on the disk yet
}

func (d *folder) String() string { return d.dir }

func (d *folder) path(key string) string { return filepath.Join(d.dir, filepath.FromSlash(key)) }

func (d *folder) Read(_ context.Context, key string) (io.ReadCloser, string, error) {
	tag, err := d.tag(key)
	if err != nil {
		return nil, "", err
	}
	f, err := os.Open(d.path(key))
	return f, tag, err
}

func (d *folder) tag(key string) (string, error) {
	f, err := os.Open(d.path(key))
	if err != nil {
		return "", absent(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.Join(ErrAbsent, err)
	}
	return err
}

func (d *folder) Stat(_ context.Context, key string) (Object, error) {
	info, err := os.Stat(d.path(key))
	if err != nil {
		return Object{}, absent(err)
	}
	sum, err := d.tag(key)
	return Object{info.Size(), sum}, err
}

func (d *folder) Write(_ context.Context, key string, body io.ReadSeeker, when When) error {
	if err := MakeFolder(filepath.Dir(d.path(key))); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(d.path(key)), ".publishing-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := io.Copy(f, body); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := d.check(key, when); err != nil {
		return err
	}
	if path.Base(key) != "VERSION" {
		err := os.Rename(f.Name(), d.path(key))
		d.note(key)
		return err
	}
	d.settle() // it says that all the rest is there
	if err := os.Rename(f.Name(), d.path(key)); err != nil {
		return err
	}
	d.note(key)
	d.settle()
	return nil
}

// MakeFolder makes a folder and those above it, for everybody to read: the umask does not count, a web server may be somebody else.
func MakeFolder(dir string) error {
	var missing []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil || at == filepath.Dir(at) {
			break
		}
		missing = append(missing, at)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, at := range missing {
		if err := os.Chmod(at, 0o755); err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	return nil
}

// note remembers the folders in which a key's name, and that of its folders, is new.
func (d *folder) note(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for at := path.Dir(key); ; at = path.Dir(at) {
		d.written[d.path(at)] = true
		if at == "." {
			d.written[filepath.Dir(filepath.Clean(d.dir))] = true
			return
		}
	}
}

// settle has the disk keep the names of what was written: without it a power cut undoes a renaming, on a stick in any order. Not
// every system can sync a folder. Side by side, because a disk writes for all that wait at once.
func (d *folder) settle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	var group sync.WaitGroup
	for at := range d.written {
		group.Go(func() {
			if f, err := os.Open(at); err == nil {
				f.Sync()
				f.Close()
			}
		})
	}
	group.Wait()
	clear(d.written)
}

// check holds against another publication into the same folder as far as two processes without a lock can.
func (d *folder) check(key string, when When) error {
	if when == (When{}) {
		return nil
	}
	tag, err := d.tag(key)
	if errors.Is(err, ErrAbsent) {
		if when.Absent {
			return nil
		}
		return ErrChanged
	}
	if err != nil {
		return err
	}
	if when.Absent || tag != when.Tag {
		return ErrChanged
	}
	return nil
}
