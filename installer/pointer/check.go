package pointer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// ErrUnsound says that a program must not be started: its owner, its mode, its folders' or its content is not what it must be.
var ErrUnsound = errors.New("unsound program")

// unsoundError tells which path, and why; kind is the word of manifests/fault, which this room does not import.
type unsoundError struct{ path, why, kind string }

func (e unsoundError) Error() string        { return e.path + ": " + e.why }
func (e unsoundError) Is(target error) bool { return target == ErrUnsound }

// Kind is the word of manifests/fault: verify for another content than promised, permission for loose owners and modes.
func (e unsoundError) Kind() string { return e.kind }

// The kinds of an unsound program.
const (
	kindContent = "verify"
	kindAccess  = "permission"
)

// Check returns the file of a target if it may be started: a regular, executable file; owned, like every folder from the
// installation root down, by root or by the owner of the installation root; writable for no other account; with the hash that the
// pointer names. Of the floor only the file itself is looked at: it shares its folders with the launcher that is asking, and has
// no hash.
func Check(p Paths, t Target) (string, error) {
	file := p.File(t)
	if !t.IsFloor() {
		if !IsVersion(t.Version) {
			return "", unsoundError{file, "not a version", kindContent}
		}
		if err := checkFolders(p, filepath.Dir(file)); err != nil {
			return "", err
		}
	}
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", unsoundError{file, "not a regular file", kindContent}
	}
	if err := checkAccess(p, file, info); err != nil {
		return "", err
	}
	if t.IsFloor() {
		return file, nil
	}
	sum, err := host.SHA256(f)
	if err != nil {
		return "", err
	}
	if sum != t.Hash {
		return "", unsoundError{file, "its hash is " + sum + ", expected is " + t.Hash, kindContent}
	}
	return file, nil
}

// checkFolders looks at every folder from the root down to dir, and again along the real path where links are on the way.
func checkFolders(p Paths, dir string) error {
	if err := checkChain(p, p.Root, dir); err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	if real == dir {
		return nil
	}
	root := p.resolved().Root
	if !strings.HasPrefix(real, root+string(filepath.Separator)) {
		root = "" // a link out of the installation: from the top
	}
	return checkChain(p, root, real)
}

func checkChain(p Paths, root, dir string) error {
	for {
		info, err := os.Lstat(dir)
		if err != nil {
			return err
		}
		if err := checkAccess(p, dir, info); err != nil {
			return err
		}
		up := filepath.Dir(dir)
		if dir == root || up == dir {
			return nil
		}
		dir = up
	}
}
