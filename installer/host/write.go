package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// WriteFile puts data under path whole or not at all, see [NewFile.Commit]. The folder must exist. For a stream see [Create].
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	f, err := Create(path, mode)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Commit()
}

// NewFile is a file in the making: it lies beside its place under another name, readable by its owner alone, until [NewFile.Commit]
// or [NewFile.Place] gives it its mode and its name. [NewFile.Discard] removes one that got no name.
type NewFile struct {
	file *os.File
	path string
	mode fs.FileMode
	done bool
}

// Create begins a file that will lie at path with mode, whatever the umask. The folder must exist.
func Create(path string, mode fs.FileMode) (*NewFile, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	return &NewFile{file: f, path: path, mode: mode}, nil
}

// Name is the path of the file until it gets its own, for a step that works on a complete file.
func (n *NewFile) Name() string { return n.file.Name() }

// Write adds to the file.
func (n *NewFile) Write(p []byte) (int, error) { return n.file.Write(p) }

// Sync has the disk keep the content, for callers with something to look at before the file gets its name.
func (n *NewFile) Sync() error { return n.file.Sync() }

// Commit syncs the file, puts it at its path in place of what is there, and syncs the folder. After nil its content survives a
// power cut; after an error the path has the old content or the whole new one.
func (n *NewFile) Commit() error {
	if err := n.Place(); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(n.path))
}

// Place is Commit without the folder: after nil the path has the whole content, and the name survives a power cut once [SyncDir]
// was called for the folder. For many files in one folder.
func (n *NewFile) Place() error {
	// A file system without modes keeps the one that it gives to all files.
	if err := n.file.Chmod(n.mode); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err := n.file.Sync(); err != nil {
		return err
	}
	if err := n.file.Close(); err != nil {
		return err
	}
	if err := replace(n.file.Name(), n.path); err != nil {
		return err
	}
	n.done = true
	return nil
}

// Discard removes the file, unless it has its name already. It is for a defer.
func (n *NewFile) Discard() {
	if !n.done {
		n.done = true
		n.file.Close()
		os.Remove(n.file.Name())
	}
}

// RemoveUnfinished removes files of a folder that a program was making when it ended in that moment: those that have the name that
// [Create], [Link] and [PidLock] give until a file gets its own, and that were last changed before a time. A program at work takes seconds.
func RemoveUnfinished(dir string, before time.Time) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		number := e.Name()[strings.LastIndexByte(e.Name(), '.')+1:]
		if _, err := strconv.ParseUint(number, 10, 64); err != nil || e.Name()[0] != '.' || len(number)+1 >= len(e.Name()) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.ModTime().Before(before) {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// Link gives the file from the further name to, in place of what has that name, on one file system that knows hard links. The folder
// must exist. A file system without them gives an error; then nothing was changed.
func Link(from, to string) error {
	f, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+".*") // a name that no other program uses
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // it stays where both names were those of one file already
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Remove(f.Name()); err != nil {
		return err
	}
	if err := os.Link(from, f.Name()); err != nil {
		return err
	}
	return replace(f.Name(), to)
}
