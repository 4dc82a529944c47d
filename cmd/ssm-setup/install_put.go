package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/unpack"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// errPackager says that a package manager failed.
var errPackager = fault.New(fault.Other, "the package manager failed",
	"repair what the package manager says and run the same command again")

// needsRestart is Windows Installer's exit code for "done, but the machine must be restarted"; nobody else's is that high.
const needsRestart = 3010

// runPackager runs a command of a package manager; its last lines go into the error. One that has begun is not interrupted, also
// not from the keyboard: half a package, or a damaged database of packages, is worse than waiting.
func runPackager(ctx context.Context, command ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	cmd := exec.Command(command[0], command[1:]...)
	apart(cmd)
	cmd.Env = cleanEnvironment(installer.At(""), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8") // no activation, no credentials
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err == nil || cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == needsRestart {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	return fmt.Errorf("%w: %s: %w: %s", errPackager, strings.Join(command[:2], " "), err, strings.Join(lines[max(0, len(lines)-5):], "; "))
}

// putTree unpacks the portable archive and puts its parts in place: the launcher last, because it is what says that there is
// an installation. The parts state their version and platform before they get their names.
func putTree(l installer.Layout, archive string, v manifests.Version) error {
	work, err := os.MkdirTemp(l.Download(), "unpacked-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if _, err := unpack.File(archive, work, unpack.Limits{}, nil); err != nil {
		return err
	}
	in := pack.Input{Version: v, Platform: pack.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH}, Bin: work}
	if err := pack.Check(in, []string{pack.Launcher, pack.Worker}); err != nil {
		return err
	}
	if err := putDocuments(l, work); err != nil {
		return err
	}
	if err := place(filepath.Join(work, filepath.Base(l.Worker())), l.Worker()); err != nil {
		return err
	}
	if err := putLinks(l); err != nil {
		return err
	}
	if err := place(filepath.Join(work, filepath.Base(l.Launcher())), l.Launcher()); err != nil {
		return err
	}
	_, err = pointer.Check(l.Pointer(), pointer.OnFloor())
	return err
}

// documentNames are what the archive has beside the programs.
func documentNames() []string {
	return []string{"amazon-ssm-agent.json.template", "seelog.xml.template", "README.md", "RELEASENOTES.md", "NOTICE.md", "LICENSE",
		pack.TrustFile, pack.KeyFile}
}

func putDocuments(l installer.Layout, work string) error {
	for _, name := range documentNames() {
		if !exists(filepath.Join(work, name)) {
			continue
		}
		if err := place(filepath.Join(work, name), filepath.Join(l.ConfigDir(), name)); err != nil {
			return err
		}
	}
	return nil
}

// putLinks makes the other names of the launcher.
func putLinks(l installer.Layout) error {
	for _, name := range l.Links() {
		link, fresh := filepath.Join(l.BinDir(), name), filepath.Join(l.BinDir(), "."+name+".new")
		os.Remove(fresh)
		if err := os.Symlink(filepath.Base(l.Launcher()), fresh); err != nil {
			return err
		}
		if err := os.Rename(fresh, link); err != nil {
			return err
		}
	}
	return host.SyncDir(l.BinDir())
}

// takeTree removes what putTree placed, launcher first.
func takeTree(l installer.Layout) error {
	files := []string{l.Launcher(), l.Worker()}
	for _, name := range l.Links() {
		files = append(files, filepath.Join(l.BinDir(), name))
	}
	for _, name := range documentNames() {
		files = append(files, filepath.Join(l.ConfigDir(), name))
	}
	var errs []error
	for _, f := range files {
		if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
