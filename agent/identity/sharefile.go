package identity

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// mostLinks is how many links a path may lead over.
const mostLinks = 40

// errLink says that a path leads over another user's link.
var errLink = fault.New(fault.Permission, "a link that belongs to another user is not followed",
	"name the file itself in AWS_SHARED_CREDENTIALS_FILE, or have root own the link")

// sharedFile is the place of a shared credentials file: its folder, held open, and its name there. What the agent writes as root goes
// through a path that another user may own: it follows only links of root's or of its own user, and works in the folder that it
// looked at, so that no link made meanwhile leads elsewhere.
type sharedFile struct {
	*os.Root
	name string
}

// openShared finds the place. Folders that are missing are made, 0700, where create is set, else an error.
func openShared(path string, create bool) (sharedFile, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return sharedFile{}, err
	}
	if os.Geteuid() > 0 {
		return openOwn(path, create)
	}
	for range mostLinks {
		file, next, err := walk(path, create)
		if err != nil || next == "" {
			return file, err
		}
		path = next
	}
	return sharedFile{}, &fs.PathError{Op: "open", Path: path, Err: syscall.ELOOP}
}

// openOwn is for an ordinary user, whose rights are nothing that a link could lead to.
func openOwn(path string, create bool) (file sharedFile, err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	} else if create {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return file, err
		}
	}
	file.name = filepath.Base(path)
	file.Root, err = os.OpenRoot(filepath.Dir(path))
	return file, err
}

// walk goes down an absolute path, folder by folder. Where it meets a link, next is the path to go on with.
func walk(path string, create bool) (file sharedFile, next string, err error) {
	at := filepath.VolumeName(path) + string(filepath.Separator)
	names := strings.Split(path[len(at):], string(filepath.Separator))
	dir, err := os.OpenRoot(at)
	if err != nil {
		return sharedFile{}, "", err
	}
	for i, name := range names {
		here := filepath.Join(at, name)
		info, err := dir.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) && create && i < len(names)-1 {
			if err = dir.Mkdir(name, 0o700); err == nil {
				info, err = dir.Lstat(name)
			}
		}
		switch {
		case err == nil && (info.Mode()&fs.ModeSymlink != 0 || info.Mode()&fs.ModeIrregular != 0): // irregular: a junction of Windows
			next, err = target(dir, here, name, info)
			dir.Close()
			return sharedFile{}, filepath.Join(next, filepath.Join(names[i+1:]...)), err
		case i == len(names)-1 && (err == nil || errors.Is(err, fs.ErrNotExist)):
			return sharedFile{dir, name}, "", nil
		case err != nil:
			dir.Close()
			return sharedFile{}, "", err
		}
		below, err := dir.OpenRoot(name)
		dir.Close()
		if err != nil {
			return sharedFile{}, "", err
		}
		if now, err := below.Stat("."); err != nil || !os.SameFile(info, now) {
			below.Close()
			return sharedFile{}, "", fmt.Errorf("%s: %w", here, errLink)
		}
		dir, at = below, here
	}
	dir.Close()
	return sharedFile{}, "", &fs.PathError{Op: "open", Path: path, Err: fs.ErrInvalid}
}

// target is where a link leads, as an absolute path.
func target(dir *os.Root, path, name string, info fs.FileInfo) (string, error) {
	if !host.TrustedOwner(path, info) {
		return "", fmt.Errorf("%s: %w", path, errLink)
	}
	to, err := dir.Readlink(name)
	if err != nil {
		return "", err
	}
	if !filepath.IsAbs(to) {
		to = filepath.Join(filepath.Dir(path), to)
	}
	return filepath.Clean(to), nil
}

func (f sharedFile) read() ([]byte, error) { return f.ReadFile(f.name) }

// replace puts text in the file's place, whole or not at all. A file that was there keeps mode and owner; a new one has mode 0600.
func (f sharedFile) replace(text []byte) error {
	old, err := f.Lstat(f.name)
	mode := fs.FileMode(0o600)
	if err == nil {
		mode = old.Mode().Perm()
	}
	beside := "." + f.name + "." + host.NewUUID()
	defer f.Remove(beside) //nolint:errcheck // it has its name, or is of no use
	out, err := f.OpenFile(beside, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return f.rewrite(text, err)
	}
	_, err = out.Write(text)
	if chmodErr := out.Chmod(mode); !errors.Is(chmodErr, errors.ErrUnsupported) {
		err = errors.Join(err, chmodErr)
	}
	if old != nil {
		err = errors.Join(err, host.GiveTo(out, old))
	}
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	if err := f.Rename(beside, f.name); err != nil {
		return f.rewrite(text, err)
	}
	return nil
}

// rewrite is for a file that is itself a mount point, or lies in a read-only folder: it cannot be replaced, only rewritten.
func (f sharedFile) rewrite(text []byte, cause error) error {
	out, err := f.OpenFile(f.name, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return cause
	}
	_, err = out.Write(text)
	return errors.Join(err, out.Close())
}
