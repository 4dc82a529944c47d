package updater

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/installer/unpack"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrUnfit says that a package holds no agent of the version it is listed as, or one that does not work here.
var ErrUnfit = fault.New(fault.Verify, "the package is not usable", "")

// stage is the fifth stop: the agent program of the package goes into the store, and has to state its version and pass its
// self-test beside the running agent, with the true configuration.
func (w *work) stage(ctx context.Context) error {
	floor, err := w.System.Floor()
	if err == nil {
		err = w.store.MakeSlots(floor.String())
	}
	if err != nil {
		return w.badInstall(fmt.Errorf("prepare the switch: %w", err))
	}
	if w.u.To.IsZero() {
		t, err := w.storeProgram()
		if err != nil {
			return w.badInstall(err)
		}
		w.u.To = t
		w.u.Known = w.u.ToVersion.Less(w.u.FromVersion) && w.ledger.HasConfirmed(w.u.ToVersion, t.Hash)
	}
	file, err := pointer.Check(w.store.Paths, w.u.To)
	if err != nil {
		return w.badInstall(err)
	}
	if err := w.prove(ctx, file); err != nil {
		return w.badInstall(err)
	}
	w.u.Lines = append(w.u.Lines, fmt.Sprintf("Initiating %v update to %v", w.product(), w.u.ToVersion))
	return nil
}

// unstage removes what no pointer names.
func unstage(w *work, _ context.Context) error {
	_, err := w.store.Collect()
	return err
}

// storeProgram puts the verified package's program into the store.
func (w *work) storeProgram() (pointer.Target, error) {
	if w.verified.file == nil {
		return pointer.Target{}, errors.New("nothing was verified")
	}
	if w.verified.program {
		return w.addProgram(w.verified.file)
	}
	dir := filepath.Join(w.cache(), w.u.Package.SHA256.String()+".d")
	if err := os.RemoveAll(dir); err != nil {
		return pointer.Target{}, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return pointer.Target{}, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Base(w.Layout.Worker())
	names, err := unpack.Opened(w.verified.file, dir, w.limits(), func(name string) bool { return path.Clean(name) == program })
	if err != nil {
		return pointer.Target{}, fmt.Errorf("failed to uncompress installation package, %w", err)
	}
	if len(names) != 1 {
		return pointer.Target{}, fmt.Errorf("%w: it holds no %s", ErrUnfit, program)
	}
	f, err := os.Open(filepath.Join(dir, program))
	if err != nil {
		return pointer.Target{}, err
	}
	defer f.Close()
	return w.addProgram(f)
}

// mostUnpacked bounds what a manifest may list as the size of an archive's files, in bytes.
const mostUnpacked = 1 << 30

// limits are what an archive may hold: as much as the manifest lists, else what [unpack.Limits] allows.
func (w *work) limits() unpack.Limits {
	listed := min(w.u.Package.Unpacked, mostUnpacked)
	if listed <= 0 {
		return unpack.Limits{}
	}
	return unpack.Limits{File: listed, Total: listed}
}

// addProgram copies a program that carries the target's stamp into the store.
func (w *work) addProgram(f *os.File) (pointer.Target, error) {
	version, err := stamp.Find(f)
	if err != nil {
		return pointer.Target{}, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	if version != w.u.ToVersion.String() {
		return pointer.Target{}, fmt.Errorf("%w: it is listed as %s and carries %s", ErrUnfit, w.u.ToVersion, version)
	}
	if _, err := f.Seek(0, 0); err != nil {
		return pointer.Target{}, err
	}
	hash, err := host.SHA256(f)
	if err != nil {
		return pointer.Target{}, err
	}
	if _, err := f.Seek(0, 0); err != nil {
		return pointer.Target{}, err
	}
	return w.store.Add(version, f, hash)
}

// prove runs the program where it lies.
func (w *work) prove(ctx context.Context, file string) error {
	want := "SSM Agent version: " + w.u.ToVersion.String()
	out, err := w.System.Try(ctx, file, "-version")
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s must not be run: %w; where that file system is mounted noexec, mount one of its own on %s",
			file, err, w.Layout.StoreDir())
	}
	if err != nil {
		return fmt.Errorf("%w: asked for its version it says %q: %w", ErrUnfit, oneLine(out, 200), err)
	}
	if out != want {
		return fmt.Errorf("%w: asked for its version it says %q, not %q", ErrUnfit, oneLine(out, 200), want)
	}
	if out, err := w.System.Try(ctx, file, "selftest"); err != nil {
		return fmt.Errorf("%w: its self-test failed: %w: %s", ErrUnfit, err, oneLine(out, 500))
	}
	return nil
}

func (w *work) badInstall(err error) error {
	f := &failure{code: "ErrorInstallFailed", cause: err,
		text: fmt.Sprintf("failed to install %v %v, ErrorMessage=%v", w.product(), w.u.ToVersion, err)}
	if errors.Is(err, ErrUnfit) || errors.Is(err, unpack.ErrArchive) || errors.Is(err, unpack.ErrUnsafe) {
		f.fault = fault.Verify
	}
	return f
}
