package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Keys of the vault (docs/protocol/identity.md, "On-disk format").
const (
	registrationKey = "RegistrationKey"
	fingerprintKey  = "InstanceFingerprint"
	pendingKey      = "PendingKey" // ours, rotate.go
	candidateKey    = "Candidate"  // ours, of a registration under way
)

// errNoEntry says that the vault holds nothing under a key. Every other failure to read is something else.
var errNoEntry = errors.New("does not exist")

// vault is a folder of small JSON files behind a manifest. dir is absolute.
type vault struct{ dir string }

func (v vault) manifestFile() string { return filepath.Join(v.dir, "Manifest") }
func (v vault) store() string        { return filepath.Join(v.dir, "Store") }

// manifest maps keys to absolute paths; an absent file is an empty one.
func (v vault) manifest() (map[string]string, error) {
	data, err := os.ReadFile(v.manifestFile())
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read vault manifest: %w", err)
	}
	m := map[string]string{}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("cannot read vault manifest %s: %w", v.manifestFile(), err)
	}
	return m, nil
}

// read fills into from the file the manifest names; errNoEntry when there is none. A whole tree that was moved is found too: a
// value whose named file is gone may lie where we would write it.
func (v vault) read(key string, into any) error {
	m, err := v.manifest()
	if err != nil {
		return err
	}
	path, ok := m[key]
	if !ok {
		return fmt.Errorf("%s %w", key, errNoEntry)
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = os.ReadFile(filepath.Join(v.store(), key))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("data file of %s is missing: %w", key, errNoEntry)
	}
	if err != nil {
		return fmt.Errorf("failed to read data file for %s. %w", key, err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return &corruptError{key: key, path: path, err: err}
	}
	return nil
}

// corruptError says that a value is there and makes no sense.
type corruptError struct {
	key, path string
	err       error
}

func (e *corruptError) Error() string {
	return fmt.Sprintf("failed to read data file for %s. %s: %v", e.key, e.path, e.err)
}

func (e *corruptError) Unwrap() error { return e.err }

// update is write, but keeps members of the old value that ours does not have: a later version's.
func (v vault) update(key string, value any) error {
	var old, fresh map[string]json.RawMessage
	if err := v.read(key, &old); err != nil || len(old) == 0 {
		return v.write(key, value)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &fresh); err != nil {
		return err
	}
	unknown := false
	for name := range old {
		if _, ours := fresh[name]; !ours {
			fresh[name], unknown = old[name], true
		}
	}
	if !unknown {
		return v.write(key, value) // in the original's order
	}
	return v.write(key, fresh)
}

// write puts the value into Store/<key> and then, where that is news, the key into the manifest.
func (v vault) write(key string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	m, err := v.manifest()
	if err != nil {
		return err
	}
	if err := v.open(); err != nil {
		return err
	}
	path := filepath.Join(v.store(), key)
	if err := host.WriteFile(path, data, 0o600); err != nil {
		return err
	}
	if m[key] != path {
		m[key] = path
		if err := v.writeManifest(m); err != nil {
			return err
		}
	}
	return v.harden()
}

func (v vault) writeManifest(m map[string]string) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return host.WriteFile(v.manifestFile(), data, 0o600)
}

// remove forgets a key; one that is not there is no error.
func (v vault) remove(key string) error {
	m, err := v.manifest()
	if err != nil {
		return err
	}
	path, ok := m[key]
	if !ok {
		return nil
	}
	rest := maps.Clone(m)
	delete(rest, key)
	if err := v.writeManifest(rest); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// open makes the folders.
func (v vault) open() error {
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return err
	}
	return os.MkdirAll(v.store(), 0o700)
}
