package trust

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/ground"
)

// Names in a host's folder.
const (
	filePin       = "pin.json"
	fileRoot      = "root.json"
	fileTimestamp = "timestamp.json"
	fileSnapshot  = "snapshot.json"
	fileTargets   = "targets.json"
	fileTime      = "time"
)

// Place is a host's folder of trust.
type Place struct {
	Dir string
	// Guard refuses a folder that another account can change, down from the root of the file system; nil: it is not asked.
	Guard func(dir string) error
}

// Pinned tells whether this host has a root.
func (p Place) Pinned() (bool, error) {
	_, err := os.Lstat(p.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Pin makes a root the one that this host trusts. The same root again, the one that was pinned here first, and those next to either in the
// same line change nothing: newer ones are read from the region. Another one is [ErrOtherRoot].
func (p Place) Pin(root []byte) error {
	if _, err := ParseRoot(root); err != nil {
		return err
	}
	pinned, err := p.Pinned()
	if err != nil {
		return err
	}
	if pinned {
		return p.same(root)
	}
	if err := os.MkdirAll(filepath.Dir(p.Dir), 0o755); err != nil {
		return err
	}
	made, err := os.MkdirTemp(filepath.Dir(p.Dir), ".trust-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(made) // gone after the rename
	if err := os.Chmod(made, 0o755); err != nil {
		return err
	}
	for _, name := range []string{filePin, fileRoot} {
		if err := ground.Write(filepath.Join(made, name), root, 0o644, true); err != nil {
			return err
		}
	}
	err = ground.Name(made, p.Dir)
	if pinned, looked := p.Pinned(); err != nil && pinned && looked == nil { // another program was faster
		return p.same(root)
	}
	return err
}

func (p Place) same(root []byte) error {
	given, err := ParseRoot(root)
	if err != nil {
		return err
	}
	for _, name := range []string{fileRoot, filePin} {
		has, err := p.Read(name, MaxRoot)
		if err != nil {
			continue
		}
		if bytes.Equal(has, root) {
			return nil
		}
		own, err := ParseRoot(has)
		if err != nil {
			continue
		}
		_, after := own.follow(root)
		_, before := given.follow(has)
		if after == nil || before == nil {
			return nil
		}
	}
	return fmt.Errorf("%w (%s)", ErrOtherRoot, p.Dir)
}

// Clear gives the root up: this host believes what is not signed again.
func (p Place) Clear() error {
	gone := filepath.Join(filepath.Dir(p.Dir), ".trust-cleared")
	if err := os.RemoveAll(gone); err != nil {
		return err
	}
	if err := os.Rename(p.Dir, gone); err != nil {
		return err
	}
	return os.RemoveAll(gone)
}

// Read reads a regular file of the folder, at most limit bytes.
func (p Place) Read(name string, limit int64) ([]byte, error) {
	at := filepath.Join(p.Dir, name)
	info, err := os.Lstat(at)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%w: %s is no file of at most %d bytes", ErrRoot, at, limit)
	}
	return os.ReadFile(at)
}

// Load reads what the host knows. Where root.json cannot be used, the root as it was pinned counts: the region's newer ones are verified
// anew. Without either it is [ErrRoot]: a host that had a root does not do without one.
func (p Place) Load() (*State, error) {
	if p.Guard != nil {
		if err := p.Guard(p.Dir); err != nil {
			return nil, err
		}
	}
	s := &State{}
	var err error
	for _, name := range []string{fileRoot, filePin} {
		if s.Root, err = p.Read(name, MaxRoot); err == nil {
			if _, err = ParseRoot(s.Root); err == nil {
				break
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: cannot read the root of this host in %s: %w", ErrRoot, p.Dir, err)
	}
	s.Timestamp, _ = p.Read(fileTimestamp, MaxTimestamp)
	s.Snapshot, _ = p.Read(fileSnapshot, MaxSnapshot)
	s.Targets, _ = p.Read(fileTargets, MaxTargets)
	if text, err := p.Read(fileTime, 64); err == nil {
		s.Seen, _ = time.Parse(time.RFC3339, strings.TrimSpace(string(text)))
	}
	return s, nil
}

// Save keeps a state. Files are replaced one by one, each whole: what does not fit together after a power cut is verified before it counts.
// What a new root made forgotten goes before that root comes; a file that another process brought further stays.
func (p Place) Save(s *State) error {
	for _, f := range []struct {
		name  string
		bytes []byte
		limit int64
	}{
		{fileTimestamp, s.Timestamp, MaxTimestamp}, {fileSnapshot, s.Snapshot, MaxSnapshot}, {fileTargets, s.Targets, MaxTargets},
		{fileTime, s.time(), 64}, {fileRoot, s.Root, MaxRoot},
	} {
		if err := p.replace(f.name, f.bytes, f.limit, s); err != nil {
			return err
		}
	}
	return nil
}

func (s *State) time() []byte {
	if s.Seen.IsZero() {
		return nil
	}
	return []byte(s.Seen.UTC().Format(time.RFC3339) + "\n")
}

func (p Place) replace(name string, b []byte, limit int64, s *State) error {
	has, err := p.Read(name, limit)
	at := filepath.Join(p.Dir, name)
	switch {
	case err == nil && bytes.Equal(has, b):
		return nil
	case b == nil && (!s.forgot || errors.Is(err, fs.ErrNotExist)):
		return nil
	case b == nil:
		return os.Remove(at)
	case err == nil && s.further(name, has, b):
		return nil
	}
	return ground.Write(at, b, 0o644, true)
}

// further tells whether a file that is there is a later one than that to be written, by the state's own root.
func (s *State) further(name string, has, b []byte) bool {
	root, err := ParseRoot(s.Root)
	if err != nil || name == fileTime {
		return false
	}
	if name == fileRoot {
		old, err := ParseRoot(has)
		return err == nil && old.Version() > root.Version()
	}
	l, role := &look{State: s, root: root}, strings.TrimSuffix(name, ".json")
	old, err := l.verify(has, role, MaxTargets)
	is, bad := l.verify(b, role, MaxTargets)
	return err == nil && bad == nil && old.version > is.version
}
