package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// KeepFloor has the floor's agent keep itself in the store as the previous version, before a package replaces it: a hard link,
// or a copy where the store lies on another file system or processes would not show which name they run under. version is the
// floor's own. Where the floor is not what runs by choice, or a version is on probation, the ring holds something else to fall back
// to and nothing is done.
func (s Store) KeepFloor(version string) (pointer.Target, error) {
	state, err := s.Read()
	if err != nil {
		return pointer.Target{}, err
	}
	if !state.Active.IsFloor() || state.Probation {
		return pointer.Target{}, nil
	}
	if err := s.MakeSlots(version); err != nil {
		return pointer.Target{}, err
	}
	if state, err = pointer.Read(s.Paths); err != nil {
		return pointer.Target{}, err
	}
	t, err := s.addFloor(version)
	if err != nil {
		return pointer.Target{}, fmt.Errorf("keep the package version %s: %w", version, err)
	}
	next := state
	next.Sequence, next.Previous, next.Floor = s.highest()+1, t, version
	if next.SetAside == t {
		next.SetAside = pointer.Target{}
	}
	return t, s.write(state.Sequence, next)
}

// addFloor puts the floor's program into the store.
func (s Store) addFloor(version string) (pointer.Target, error) {
	f, err := os.Open(s.Paths.Worker())
	if err != nil {
		return pointer.Target{}, err
	}
	defer f.Close()
	hash, err := host.SHA256(f)
	if err != nil {
		return pointer.Target{}, err
	}
	t := pointer.Target{Version: version, Hash: hash}
	if _, err := pointer.Check(s.Paths, t); err == nil {
		return t, nil
	}
	if err := s.link(t); err == nil {
		return t, nil
	} else if errors.Is(err, ErrInUse) {
		return pointer.Target{}, err
	}
	if _, err := f.Seek(0, 0); err != nil {
		return pointer.Target{}, err
	}
	return s.Add(version, f, hash)
}

// link gives the floor's file a second name in the store.
func (s Store) link(t pointer.Target) error {
	if err := s.makeRoom(t); err != nil {
		return err
	}
	if err := makeDir(s.Paths.StoreDir(), 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(s.Paths.StoreDir(), temporary)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	if err := hardLink(s.Paths.Worker(), filepath.Join(dir, filepath.Base(s.Paths.Worker()))); err != nil {
		return err
	}
	if err := s.rename(dir, t.Version); err != nil {
		return err
	}
	_, err = pointer.Check(s.Paths, t)
	return err
}
