package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// Collect removes what is not needed any more: versions that the pointer does not name and no process runs, temporary folders,
// tokens of other sequences. Where the system does not tell what runs, versions stay. It returns the versions it removed.
func (s Store) Collect() (removed []string, err error) {
	state, err := pointer.Read(s.Paths)
	if err != nil && !missing(err) {
		return nil, err
	}
	err = s.collectTokens(state.Sequence)
	entries, listed := os.ReadDir(s.Paths.StoreDir())
	if listed != nil && !errors.Is(listed, fs.ErrNotExist) {
		return nil, errors.Join(err, listed)
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasPrefix(name, "."):
			err = errors.Join(err, os.RemoveAll(filepath.Join(s.Paths.StoreDir(), name)))
		case pointer.IsVersion(name) && !mentions(state, name) && !s.inUse(name):
			if gone := s.remove(name); gone != nil {
				err = errors.Join(err, gone)
			} else {
				removed = append(removed, name)
			}
		}
	}
	return removed, err
}

func mentions(s pointer.State, version string) bool {
	return s.Active.Version == version || s.Previous.Version == version || s.SetAside.Version == version
}

// remove takes a version's name away first, so that no half of it is ever found under it.
func (s Store) remove(version string) error {
	aside, err := os.MkdirTemp(s.Paths.StoreDir(), ".gone-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(aside)
	if err := os.Rename(s.Paths.Version(version), filepath.Join(aside, version)); err != nil {
		return err
	}
	return host.SyncDir(s.Paths.StoreDir())
}

// inUse reports whether a process runs a program of this version: the agent, an updater, a document worker. A process that does
// not say what it runs (another user's) is not one of ours.
func (s Store) inUse(version string) bool {
	pids, err := host.Processes()
	if err != nil {
		return true
	}
	dir := s.Paths.Version(version)
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		real = dir
	}
	for _, pid := range pids {
		exe, err := host.ProcessExecutable(pid)
		here := pointer.SamePath(filepath.Dir(exe), dir) || pointer.SamePath(filepath.Dir(exe), real)
		if err == nil && here && host.Trusted(pid) {
			return true
		}
	}
	return false
}
