package setup

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/unpack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// installTree unpacks the portable archive and puts its parts in place: the launcher last, because it is what says that there is
// an installation. The parts state their version and platform before they get their names.
func installTree(l installer.Layout, archive string, v manifests.Version) error {
	if err := os.MkdirAll(l.Download(), 0o755); err != nil {
		return err
	}
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
	if err := installDocuments(l, work); err != nil {
		return err
	}
	if err := moveFile(filepath.Join(work, filepath.Base(l.Worker())), l.Worker()); err != nil {
		return err
	}
	if err := installLinks(l); err != nil {
		return err
	}
	if err := moveFile(filepath.Join(work, filepath.Base(l.Launcher())), l.Launcher()); err != nil {
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

func installDocuments(l installer.Layout, work string) error {
	for _, name := range documentNames() {
		if !Exists(filepath.Join(work, name)) {
			continue
		}
		if err := moveFile(filepath.Join(work, name), filepath.Join(l.ConfigDir(), name)); err != nil {
			return err
		}
	}
	return nil
}

// installLinks makes the other names of the launcher.
func installLinks(l installer.Layout) error {
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

// removeTree removes what installTree put in place, launcher first.
func removeTree(l installer.Layout) error {
	files := []string{l.Launcher(), l.Worker()}
	for _, name := range l.Links() {
		files = append(files, filepath.Join(l.BinDir(), name))
	}
	for _, name := range documentNames() {
		files = append(files, filepath.Join(l.ConfigDir(), name))
	}
	var errs []error
	for _, f := range files {
		if err := host.RemoveFile(f); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// moveFile gives a finished file its name: a rename, or a copy where it lies on another file system.
func moveFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.Rename(from, to); err == nil {
		return host.SyncDir(filepath.Dir(to))
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return host.WriteFile(to, data, info.Mode().Perm())
}
