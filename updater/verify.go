package updater

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// verified is a package that is what the manifest lists. Only [verify] makes one with a file; the file stays open, so what was
// verified is what is staged, whatever happens to its name.
type verified struct {
	file    *os.File
	program bool // it is the agent's program itself, which a delta made
}

// close may come twice.
func (v *verified) close() {
	if v.file != nil {
		v.file.Close()
		v.file = nil
	}
}

// ErrNotListed says that a package is not the one that the manifest lists.
var ErrNotListed = fault.New(fault.Verify, "failed to verify hash of downloadinput", "")

// verify is the fourth stop.
func (w *work) verify(context.Context) error {
	if w.blob == (blob{}) {
		return nil // nothing was fetched: the target lies here already
	}
	want := w.u.Package.SHA256
	if w.blob.program {
		want = w.u.Package.Delta.Program
	}
	v, err := verify(w.blob, want)
	if err != nil {
		if errors.Is(err, ErrNotListed) {
			os.Remove(w.blob.path)
		}
		return w.badPackage(fault.Verify, err)
	}
	w.verified = v
	return nil
}

// verify reads the whole file and compares its SHA-256, whatever fetch did before.
func verify(b blob, want manifests.Sum) (verified, error) {
	f, err := os.Open(b.path)
	if err != nil {
		return verified{}, err
	}
	got, err := host.SHA256(f)
	if err == nil && got != want.String() {
		err = fmt.Errorf("%w %s: it has SHA-256 %s, the manifest lists %s", ErrNotListed, b.path, got, want)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return verified{}, err
	}
	return verified{f, b.program}, nil
}
