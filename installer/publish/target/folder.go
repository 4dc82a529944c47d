package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Folder is a target on this machine; the tree below it is that of the bucket. The tag of an object is its SHA-256.
func Folder(dir string) Target { return FolderSyncedBy(dir, host.SyncDir) }

// FolderSyncedBy is a [Folder] on a disk that keeps the names in a folder by another function, as tests need it.
func FolderSyncedBy(dir string, syncDir func(dir string) error) Target {
	return kept{&folder{dir: dir, syncDir: syncDir, written: map[string]bool{}}}
}

type folder struct {
	dir     string
	syncDir func(dir string) error // has the disk keep the names in a folder

	mu      sync.Mutex
	written map[string]bool // folders with names that may not be on the disk yet
}

func (d *folder) String() string { return d.dir }

func (d *folder) path(key string) string { return filepath.Join(d.dir, filepath.FromSlash(key)) }

// above is the folder that holds the target.
func (d *folder) above() string { return filepath.Dir(filepath.Clean(d.dir)) }

func (d *folder) Read(_ context.Context, key string) (io.ReadCloser, string, error) {
	tag, err := d.tag(key)
	if err != nil {
		return nil, "", err
	}
	d.recordFolders(key) // an attempt before this one may have failed to sync it
	f, err := os.Open(d.path(key))
	return f, tag, err
}

func (d *folder) tag(key string) (string, error) {
	sum, err := host.SHA256File(d.path(key))
	return sum, absent(err)
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
	d.recordFolders(key) // an attempt before this one may have failed to sync it
	sum, err := d.tag(key)
	return Object{info.Size(), sum}, err
}

func (d *folder) Write(_ context.Context, key string, body io.ReadSeeker, sum string, when When) error {
	if err := MakeFolder(filepath.Dir(d.path(key))); err != nil {
		return err
	}
	f, err := host.Create(d.path(key), 0o644)
	if err != nil {
		return err
	}
	defer f.Discard()
	have, err := host.SHA256(io.TeeReader(body, f))
	if err != nil {
		return err
	}
	if !strings.EqualFold(have, sum) {
		return fmt.Errorf("%w: SHA-256 %s, not %s", ErrBody, have, sum)
	}
	if err := f.Sync(); err != nil { // before the check, so that little time passes between that and the name
		return err
	}
	if err := d.check(key, when); err != nil {
		return err
	}
	if path.Base(key) != "VERSION" {
		d.recordFolders(key)
		return f.Place()
	}
	if err := d.syncFolders(); err != nil { // VERSION says that all the rest is there
		return err
	}
	d.recordFolders(key)
	if err := f.Place(); err != nil {
		return err
	}
	return d.syncFolders()
}

// MakeFolder makes a folder and those above it, readable by all accounts: the umask does not count, and a web server may run as
// another account.
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

// recordFolders remembers the folders in which a key's name, and that of its folders, is new.
func (d *folder) recordFolders(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for at := path.Dir(key); ; at = path.Dir(at) {
		d.written[d.path(at)] = true
		if at == "." {
			d.written[d.above()] = true
			return
		}
	}
}

// syncFolders has the disk keep the names of what was written: without it a power cut undoes a renaming, on a stick in any order. A file
// system that cannot sync a folder is left as it is; every other failure is one. Side by side, because a disk writes for all that
// wait at once.
func (d *folder) syncFolders() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var group errgroup.Group
	for at := range d.written {
		group.Go(func() error {
			err := d.syncDir(at)
			switch {
			case errors.Is(err, errors.ErrUnsupported):
				return nil
			case errors.Is(err, fs.ErrPermission) && at == d.above(): // not ours to read
				return nil
			case err != nil:
				return fmt.Errorf("the names in %s may not survive a power cut: %w", at, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err // what was written stays noted, so that the next attempt syncs it
	}
	clear(d.written)
	return nil
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
