package pointer

import (
	"errors"
	"os"
	"path/filepath"

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

// Check returns the file of a target if it may be started: a regular, executable file; owned, like every folder from / down to it, by
// root or by this account; writable for no other account ([host.CheckFolders] has the rule for folders above the installation root);
// with the hash that the pointer names. The floor has no hash. Of the system's floor only the file itself is looked at: it lies in the
// system's own folders beside the launcher that is asking, which an account that can write there replaces first.
func Check(p Paths, t Target) (string, error) {
	file := p.File(t)
	if !t.IsFloor() {
		if !IsVersion(t.Version) {
			return "", unsoundError{file, "not a version", kindContent}
		}
	}
	if !t.IsFloor() || p.Root != "" {
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
	if err := checkAccess(file, info); err != nil {
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
