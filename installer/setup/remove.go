package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/authority"
	"github.com/ssm-setup/ssm-setup/installer/proxy"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Remove stops the service and takes the package away, under the update lock. It returns the version that was there, zero for
// none. What an interrupted installation left goes, too.
func (i Installation) Remove(ctx context.Context) (manifests.Version, error) {
	if err := CheckPrivileges(i.Layout); err != nil {
		return manifests.Version{}, err
	}
	version, err := PackageVersion(i.Layout)
	if err != nil || version.IsZero() && readRecord(i.Layout).Format == "" {
		return version, err
	}
	if i.Ports.EndPending != nil {
		if ended, err := i.Ports.EndPending(i.Layout); err != nil {
			return version, err
		} else if ended {
			i.Ports.Step("ended an update that was under way")
		}
	}
	release, err := i.Lock()
	if err != nil {
		return version, err
	}
	defer release()
	if s := service.Of(i.Layout); service.Detached(s) { // under a service manager the package's scripts stop it
		if err := s.Stop(ctx); err != nil {
			return version, err
		}
	}
	if !i.System() {
		return version, errors.Join(removeTree(i.Layout), forget(i.Layout))
	}
	for _, p := range packagersHere() {
		if p.installed() {
			if err := runAll(ctx, p.commands(p.remove)); err != nil {
				return version, err
			}
		}
	}
	return version, forget(i.Layout)
}

// Forget removes what updates put beside a package of ours that is there no more.
func (i Installation) Forget() error { return forget(i.Layout) }

// forget removes what updates put beside the package; on the system the package's scripts do the same.
func forget(l installer.Layout) error {
	p := l.Pointer()
	var errs []error
	paths := []string{l.StoreDir(), p.SlotDir(), p.ProbationDir(), l.Ledger(), l.Decisions(), l.Pulse(), l.UpdateRoot(), l.Download(),
		l.Facts(), l.PidFile(),
		recordFile(l)}
	for _, path := range append(paths, lockFolders(l)...) {
		errs = append(errs, os.RemoveAll(path))
	}
	for _, dir := range []string{l.BinDir(), l.ConfigDir()} {
		removeEmpty(l, dir, false)
	}
	return errors.Join(errs...)
}

// Purge removes what a removal leaves: data, logs, settings, the registration, and what a package manager keeps of a removed package.
func (i Installation) Purge(ctx context.Context) error {
	if version, err := PackageVersion(i.Layout); err != nil || !version.IsZero() {
		return errors.Join(errors.New("the agent is still installed"), err)
	}
	if i.System() {
		if err := errors.Join(purgePackages(ctx, packagersHere()), removeServiceFiles(), proxy.Forget(i.Layout),
			authority.Forget(i.Layout)); err != nil {
			return err
		}
	}
	err := errors.Join(os.RemoveAll(i.Data()), os.RemoveAll(i.Logs()), os.RemoveAll(i.ConfigDir()))
	for _, dir := range []string{i.Data(), i.Logs(), i.ConfigDir(), i.BinDir()} {
		if i.System() {
			os.Remove(filepath.Dir(dir)) // …/amazon, if nothing else is in it
			continue
		}
		removeEmpty(i.Layout, filepath.Dir(dir), true)
	}
	return errors.Join(err, i.left())
}

// purgePackages has every package manager that still knows the removed package forget it.
func purgePackages(ctx context.Context, managers []Packaging) error {
	for _, p := range managers {
		if p.installed() {
			return errors.New("the package is still installed")
		}
		if !p.known() {
			continue
		}
		if err := runAll(ctx, p.commands(p.purge)); err != nil {
			return err
		}
		if p.known() {
			return fmt.Errorf("%s still knows the package: %s", p.query[0], strings.Join(p.query, " "))
		}
	}
	return nil
}

// serviceFiles are where packages, ours and the original's, and admins put files of the service: the unit, what is added to it, the links
// that enable it, and edited ones that rpm or dpkg moved aside (docs/protocol/update.md, "Service definitions (Linux)"). The first
// [ofAdmins] may stay when the package goes.
var serviceFiles = []string{"/etc/systemd/system/amazon-ssm-agent.service*", "/etc/systemd/system/*.wants/amazon-ssm-agent.service",
	"/etc/init/amazon-ssm-agent.conf*", "/lib/systemd/system/amazon-ssm-agent.service*", "/usr/lib/systemd/system/amazon-ssm-agent.service*"}

const ofAdmins = 3

// removeServiceFiles removes what packages leave of the service because an admin wrote or edited it, and has systemd forget it.
func removeServiceFiles() error {
	var errs []error
	for _, path := range globbed(serviceFiles[:ofAdmins]) {
		errs = append(errs, os.RemoveAll(path))
	}
	if len(errs) > 0 && Exists("/run/systemd/system") {
		reload := exec.Command("systemctl", "daemon-reload") //nolint:noctx // it takes milliseconds
		reload.Env = CleanEnvironment(installer.At(""))
		_ = reload.Run() // what it has loaded does not run any more
	}
	return errors.Join(errs...)
}

func globbed(patterns []string) (paths []string) {
	for _, p := range patterns {
		found, _ := filepath.Glob(p) // the patterns are valid
		paths = append(paths, found...)
	}
	return paths
}

// left looks for what should be gone.
func (i Installation) left() error {
	paths := []string{i.Data(), i.Logs(), i.ConfigDir(), i.Launcher(), i.Worker()}
	if i.System() {
		paths = append(paths, globbed(serviceFiles)...)
	}
	for _, path := range paths {
		if Exists(path) {
			return fmt.Errorf("%s is left", path)
		}
	}
	return nil
}
