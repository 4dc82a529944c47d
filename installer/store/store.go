package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

var (
	// ErrHash says that a program is not the one that was promised.
	ErrHash = fault.New(fault.Verify, "hash differs", "")
	// ErrInUse says that another program stands in the store under this version, and is needed.
	ErrInUse = errors.New("another build of this version is in use")
	// ErrMoved says that the pointer is no longer the one the caller wants to replace.
	ErrMoved = errors.New("the active version was changed meanwhile")
	// ErrProbation says that a version is on probation, which has to end first.
	ErrProbation = errors.New("a version is on trial")
	// ErrNoPrevious says that there is no previous version to go back to.
	ErrNoPrevious = fault.New(fault.Refused, "no previous version", "")
	// ErrSlots says that there are no two slots to write to.
	ErrSlots = errors.New("the files that name the active version are missing")
)

// Store is the store of one installation.
type Store struct{ Paths pointer.Paths }

const temporary = ".new-*"

// Add copies an agent program into the store and returns the target that names it. hash is its SHA-256 in lower-case hex; other
// content is [ErrHash] and leaves nothing behind. The same program added twice is kept as it is.
func (s Store) Add(version string, program io.Reader, hash string) (pointer.Target, error) {
	t := pointer.Target{Version: version, Hash: hash}
	if !pointer.IsVersion(version) {
		return pointer.Target{}, fmt.Errorf("keep %q: not a four-part version", version)
	}
	if _, err := pointer.Check(s.Paths, t); err == nil {
		return t, nil
	}
	if err := s.makeRoom(t); err != nil {
		return pointer.Target{}, err
	}
	if err := s.writeVersion(t, program); err != nil {
		return pointer.Target{}, fmt.Errorf("keep version %s: %w", version, err)
	}
	_, err := pointer.Check(s.Paths, t)
	return t, err
}

// makeRoom removes what stands in the place of a version, if it is not needed.
func (s Store) makeRoom(t pointer.Target) error {
	dir := s.Paths.Version(t.Version)
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	state, err := pointer.Read(s.Paths)
	if err != nil && !errors.Is(err, pointer.ErrNone) {
		return err
	}
	for _, named := range []pointer.Target{state.Active, state.Previous} {
		if named.Version == t.Version && named.Hash != t.Hash {
			return fmt.Errorf("keep version %s: %w", t.Version, ErrInUse)
		}
	}
	if s.inUse(t.Version) {
		return fmt.Errorf("keep version %s: %w", t.Version, ErrInUse)
	}
	return s.remove(t.Version)
}

// writeVersion writes the program under a temporary name and gives it its own when everything is on the disk.
func (s Store) writeVersion(t pointer.Target, program io.Reader) (err error) {
	if err := makeDir(s.Paths.StoreDir(), 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(s.Paths.StoreDir(), temporary)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	file := filepath.Join(dir, filepath.Base(s.Paths.File(t)))
	if err := copyChecked(file, program, t.Hash); err != nil {
		return err
	}
	return s.rename(dir, t.Version)
}

// rename makes a finished folder a version.
func (s Store) rename(dir, version string) error {
	if err := host.SyncDir(dir); err != nil {
		return err
	}
	if err := os.Rename(dir, s.Paths.Version(version)); err != nil {
		return err
	}
	return host.SyncDir(s.Paths.StoreDir())
}

// copyChecked writes an executable file, synced, and refuses other content than promised.
func copyChecked(file string, program io.Reader, hash string) error {
	f, err := host.Create(file, 0o755)
	if err != nil {
		return err
	}
	defer f.Discard()
	sum, err := host.SHA256(io.TeeReader(program, f))
	if err != nil {
		return err
	}
	if sum != hash {
		return fmt.Errorf("%w: it is %s, promised was %s", ErrHash, sum, hash)
	}
	return f.Place() // the folder is synced with its own name
}

// makeDir makes a folder and its parents, and syncs the parent of each that it made.
func makeDir(dir string, mode fs.FileMode) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := makeDir(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := os.Chmod(dir, mode); err != nil {
		return err
	}
	return host.SyncDir(filepath.Dir(dir))
}
