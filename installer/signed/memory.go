package signed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrMemory says that a folder's record of a region cannot be read.
var ErrMemory = fault.New(fault.Refused, "what these keys signed there cannot be read",
	"put the file back from a copy of the folder of keys; without it a region whose signed files are gone cannot be told from a new one")

// regionsDir is where a folder of keys remembers what it signed.
const regionsDir = "regions"

// Memory is what a folder of keys signed, place by place: one file regions/<name>.json for each, with the newest signed files in it, so
// that they can be put back. It holds no secret.
type Memory struct {
	folder *Folder
	mu     sync.Mutex
}

// Memory is the folder's.
func (f *Folder) Memory() *Memory { return &Memory{folder: f} }

// Record is what was signed at one place.
type Record struct {
	At       time.Time         `json:"at"`
	Root     int64             `json:"root"`
	Versions map[string]int64  `json:"versions"` // by role
	Files    map[string]string `json:"files"`    // texts, by key in the bucket
}

// Version is the number of a role's file.
func (r *Record) Version(role string) int64 { return r.Versions[role] }

// Objects are the files to put back, in the order in which they are to be written: the timestamp is the last.
func (r *Record) Objects() (list []Object) {
	for _, key := range slices.Sorted(maps.Keys(r.Files)) {
		if key != TimestampKey {
			list = append(list, Object{key, []byte(r.Files[key])})
		}
	}
	return append(list, Object{TimestampKey, []byte(r.Files[TimestampKey])})
}

// remembered is a file of the memory. Next was about to be signed: whether it came to that is not known.
type remembered struct {
	Schema int     `json:"schema"`
	Place  string  `json:"place"`
	Last   *Record `json:"last,omitempty"`
	Next   *Record `json:"next,omitempty"`
}

// Of is what was signed at a place last; nil: nothing is known. Where a publication ended before it could note that it had signed, Of is
// what was signed before in its numbers, and what it was about to sign in its files: those numbers may not be there, and those files are
// at least what hosts have seen.
func (m *Memory) Of(place string) (*Record, error) {
	is, err := m.read(place)
	if err != nil || is.Last == nil && is.Next == nil {
		return nil, err
	}
	switch {
	case is.Next == nil:
		return is.Last, nil
	case is.Last == nil:
		return nil, nil // it may never have been signed
	}
	both := *is.Next
	both.Versions = is.Last.Versions
	return &both, nil
}

// Note notes what is about to be signed at a place, and with done that it was.
func (m *Memory) Note(ctx context.Context, place string, t *Tree, now time.Time, done bool) error {
	if m.folder.Dry {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	release, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	is, err := m.read(place)
	if err != nil {
		return err
	}
	next := &Record{At: whole(now), Root: t.root.Version(), Versions: map[string]int64{}, Files: map[string]string{}}
	for role, o := range t.files {
		next.Files[o.Key] = string(o.Bytes)
		for _, l := range t.Lives() {
			if l.Role == role {
				next.Versions[role] = l.Version
			}
		}
	}
	if done && is.Next == nil && is.Last != nil && maps.Equal(is.Last.Files, next.Files) {
		return nil
	}
	if is.Next = next; done {
		is.Last, is.Next = next, nil
	}
	b, err := json.MarshalIndent(is, "", "  ")
	if err != nil {
		return err
	}
	return m.folder.write(file(place), append(b, '\n'), 0o644)
}

// file is where a place's record lies: readable, and no two places have the same.
func file(place string) string {
	sum := sha256.Sum256([]byte(place))
	readable := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, place)
	if n := len(readable); n > maxReadable {
		readable = readable[n-maxReadable:]
	}
	return path.Join(regionsDir, strings.Trim(readable, "-")+"-"+hex.EncodeToString(sum[:4])+".json")
}

// maxReadable bounds the readable part of a record's name, in bytes.
const maxReadable = 60

func (m *Memory) read(place string) (is remembered, err error) {
	b, err := os.ReadFile(m.folder.at(file(place)))
	if errors.Is(err, fs.ErrNotExist) {
		return remembered{Schema: 1, Place: place}, nil
	}
	if err == nil {
		is, err = readMemory(b)
	}
	if err == nil && is.Place != place {
		err = fmt.Errorf("it is of %s", is.Place)
	}
	if err != nil {
		return is, fmt.Errorf("%w: %s: %w", ErrMemory, m.folder.at(file(place)), err)
	}
	return is, nil
}

// readMemory reads a record; what it would put back must have the names of signed files.
func readMemory(b []byte) (is remembered, err error) {
	if err := json.Unmarshal(b, &is); err != nil {
		return is, err
	}
	if is.Schema != 1 {
		return is, fmt.Errorf("schema %d is not known", is.Schema)
	}
	for _, r := range []*Record{is.Last, is.Next} {
		if r == nil {
			continue
		}
		v := r.Versions
		for _, key := range []string{numbered(v[Targets], Targets), numbered(v[Snapshot], Snapshot), TimestampKey} {
			if r.Files[key] == "" || len(r.Files) != 3 {
				return is, fmt.Errorf("it has no %s, or more than that", key)
			}
		}
	}
	return is, nil
}

// lock keeps other programs from writing to the memory.
func (m *Memory) lock(ctx context.Context) (release func(), err error) {
	dir := m.folder.at(regionsDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for range 200 {
		held, _, err := host.TryLock(dir)
		if err != nil {
			return nil, err
		}
		if held != nil {
			return held.Release, nil
		}
		if err := host.Sleep(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("another program writes to %s", dir)
}
