package build

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrOut says that nothing can be written where the result shall lie.
var ErrOut = fault.New(fault.Permission, "the folder for the result cannot be made",
	"name a folder that you may write to with --out")

// staging is a folder beside the one that a build fills: what is made in it appears all at once, or not at all.
type staging struct {
	owned
	into  string
	above []string // folders that were made for it, the innermost first
}

// newStaging makes the folder, and those above it.
func newStaging(into string) (*staging, error) {
	s := &staging{into: into}
	for dir := filepath.Dir(into); !exists(dir) && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		s.above = append(s.above, dir)
	}
	err := os.MkdirAll(filepath.Dir(into), 0o755)
	if err == nil {
		s.owned, err = newOwned(filepath.Dir(into), ".making-")
	}
	if err != nil {
		s.remove()
		return nil, fmt.Errorf("%w: %w", ErrOut, err)
	}
	return s, nil
}

// commit moves everything to its place. A signature of a file that is replaced goes with it.
func (s *staging) commit() error {
	if err := os.MkdirAll(s.into, 0o755); err != nil {
		return err
	}
	list, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		if err := os.Rename(filepath.Join(s.dir, e.Name()), filepath.Join(s.into, e.Name())); err != nil {
			return err
		}
		if signature := e.Name() + pack.SignatureSuffix; !strings.HasSuffix(e.Name(), pack.SignatureSuffix) &&
			!exists(filepath.Join(s.dir, signature)) {
			if err := os.Remove(filepath.Join(s.into, signature)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// remove leaves nothing behind of a build that failed, and nothing but the result of one that did not.
func (s *staging) remove() {
	s.owned.remove()
	for _, dir := range s.above {
		os.Remove(dir) // refused where there is something in it
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// writeFile writes a file whole or not at all, with mode whatever the umask.
func writeFile(path string, mode fs.FileMode, fill func(io.Writer) error) error {
	f, err := host.Create(path, mode)
	if err != nil {
		return err
	}
	defer f.Discard()
	if err := fill(f); err != nil {
		return err
	}
	return f.Place()
}

func writeBytes(path string, data []byte) error {
	return writeFile(path, 0o644, func(w io.Writer) error { _, err := w.Write(data); return err })
}
