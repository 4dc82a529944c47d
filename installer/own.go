package installer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Names of folders that are this product's own, beside those of the agent: each is one room's (see [Layout.Own]).
const (
	OwnOriginal = "original" // installer/originals
	OwnTakeover = "takeover" // updater/takeover
)

// MakeOwn makes the folder [Layout.Own] of a name, and folders in it, for their owner alone. It fails where another account could exchange
// what lies in them.
func (l Layout) MakeOwn(name string, folders ...string) error {
	dir := l.Own(name)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := host.Private(dir); err != nil {
		return err
	}
	for _, d := range folders {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return err
		}
	}
	return host.CheckFolders(dir, l.Root)
}

// DropOwn removes it with all that is in it, and the folder of all such folders when it was the last.
func (l Layout) DropOwn(name string) error {
	err := os.RemoveAll(l.Own(name))
	_ = os.Remove(filepath.Dir(l.Own(name))) // if nothing else is in it
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
