package originals

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/setup"
)

// registrationName is the folder, below this room's, with the registration of before while another one is tried.
const registrationName = "registration"

// parts are what a registration consists of, by its place and by its name in that folder.
func (a *Agent) parts() map[string]string {
	return map[string]string{a.Layout.Vault(): "Vault", a.Layout.Registration(): "registration"}
}

func (a *Agent) registrationDir() string {
	return filepath.Join(a.Layout.Own(installer.OwnOriginal), registrationName)
}

// registerAnew is [Agent.register], which keeps the registration that is there: the original gives it up before it asks for another one.
// Where that is refused, the one of before is put back. kept tells that it is.
func (a *Agent) registerAnew(ctx context.Context, region string, act setup.Activation) (id string, kept bool, err error) {
	if err := a.System.Service.Stop(ctx); err != nil { // it writes there, too
		return "", false, err
	}
	if err := a.setAside(); err != nil {
		return "", false, err
	}
	a.at("with the registration set aside")
	id, err = a.register(ctx, region, act)
	a.at("after registering")
	if err == nil {
		return id, false, os.RemoveAll(a.registrationDir())
	}
	kept, back := a.putBack()
	return "", kept, errors.Join(err, back)
}

// setAside copies the registration that is there; the copy counts once it is whole.
func (a *Agent) setAside() error {
	id, _, _ := a.Ports.Registered(a.Layout)
	if id == "" {
		return nil
	}
	half := a.registrationDir() + ".half"
	if err := errors.Join(os.RemoveAll(half), os.RemoveAll(a.registrationDir()), os.MkdirAll(half, 0o700)); err != nil {
		return err
	}
	for from, name := range a.parts() {
		if err := copied(from, filepath.Join(half, name)); err != nil {
			return err
		}
	}
	if err := os.Rename(half, a.registrationDir()); err != nil {
		return err
	}
	return host.SyncDir(a.Layout.Own(installer.OwnOriginal))
}

// putBack brings the copy back where no registration is there, and removes it; without a copy it does nothing. A registration that was
// made counts. Killed in the middle it can be done again.
func (a *Agent) putBack() (kept bool, err error) {
	if !setup.Exists(a.registrationDir()) {
		return false, nil
	}
	if id, _, _ := a.Ports.Registered(a.Layout); id == "" {
		for to, name := range a.parts() {
			if err := errors.Join(os.RemoveAll(to), copied(filepath.Join(a.registrationDir(), name), to)); err != nil {
				return false, err
			}
		}
	}
	id, _, err := a.Ports.Registered(a.Layout)
	if err != nil || id == "" {
		return false, err // the copy stays for people
	}
	return true, os.RemoveAll(a.registrationDir())
}

// copied copies a file or a folder of files, synced; one that is not there is none. No link leads out of the folder it lies in.
func copied(from, to string) error {
	root, err := os.OpenRoot(filepath.Dir(from))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	var dirs []string
	base := filepath.Base(from)
	err = fs.WalkDir(root.FS(), base, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			if path == base && errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		place := filepath.Join(to, filepath.FromSlash(strings.TrimPrefix(path, base)))
		if e.IsDir() {
			dirs = append(dirs, place)
			return os.MkdirAll(place, 0o700)
		}
		if !e.Type().IsRegular() {
			return nil
		}
		text, err := fs.ReadFile(root.FS(), path)
		if err != nil {
			return err
		}
		return host.WriteFile(place, text, 0o600)
	})
	for _, dir := range slices.Backward(dirs) {
		err = errors.Join(err, host.SyncDir(dir))
	}
	return err
}
