//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asNobody runs ssm-setup without privileges, also where root runs the test.
func asNobody(t *testing.T, args ...string) said {
	t.Helper()
	cmd := child(args...)
	if os.Geteuid() == 0 {
		// the test's own program may lie where others cannot read it
		self, err := os.ReadFile(os.Args[0])
		if err != nil {
			t.Fatal(err)
		}
		dir, err := os.MkdirTemp("", "ssm-setup-child-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		cmd.Path = filepath.Join(dir, "ssm-setup.test")
		os.Chmod(dir, 0o755)
		if err := os.WriteFile(cmd.Path, self, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	return finish(t, cmd)
}

func TestTheSystemNeedsRoot(t *testing.T) {
	s := asNobody(t, "install", "--region", "local", "--endpoint", "http://127.0.0.1:1")
	if s.code != ExitPermission || !strings.Contains(s.err, "--root") {
		t.Errorf("%+v", s)
	}
}

func TestWithoutPermissionNothingIsInstalled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	s := asNobody(t, "install", "--region", "local", "--endpoint", "http://127.0.0.1:1", "--root", filepath.Join(dir, "host"))
	if s.code != ExitPermission || !strings.Contains(s.err, "hint: ") {
		t.Errorf("%+v", s)
	}
}

// A folder that others can write to would keep every later update from running: said at once.
func TestAFolderThatOthersCanWriteToIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "host")
	os.Mkdir(dir, 0o755)
	os.Chmod(dir, 0o775)
	s := ssmSetup("install", "--region", "local", "--endpoint", "http://127.0.0.1:1", "--root", dir)
	if s.code != ExitPermission || !strings.Contains(s.err, "hint: chmod go-w") {
		t.Errorf("%+v", s)
	}
}

// A folder in another account's: its owner could exchange the programs that root runs from there.
func TestAFolderInAnotherAccountsIsNoPlaceForAnInstallation(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("giving a folder to another account needs root; CI runs this as root, too")
	}
	open := t.TempDir()
	must(t, errors.Join(os.Chmod(open, 0o755), os.Chmod(filepath.Dir(open), 0o755)))
	foreign := filepath.Join(open, "foreign")
	must(t, os.Mkdir(foreign, 0o755))
	must(t, os.Mkdir(filepath.Join(foreign, "host"), 0o755))
	must(t, os.Chown(foreign, 65534, 65534))
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(foreign, link))
	for _, root := range []string{foreign, filepath.Join(foreign, "host"), filepath.Join(foreign, "new"), filepath.Join(link, "host")} {
		s := ssmSetup("install", "--region", "local", "--endpoint", "http://127.0.0.1:1", "--root", root)
		if s.code != ExitPermission || !strings.Contains(s.err, "belongs to another account: ") {
			t.Errorf("%s: %+v", root, s)
		}
	}
	if s := asNobody(t, "install", "--region", "local", "--endpoint", "http://127.0.0.1:1", "--root",
		filepath.Join(foreign, "new")); s.code == ExitPermission {
		t.Errorf("its owner: %+v", s)
	}
}

// The folder above an installation may be its owner's group's, as umask 002 makes it, but not open to all.
func TestTheFolderAboveAnInstallation(t *testing.T) {
	for mode, wrong := range map[os.FileMode]bool{0o755: false, 0o775: os.Geteuid() == 0, 0o777: true,
		0o777 | os.ModeSticky: os.Geteuid() != 0} {
		above := filepath.Join(t.TempDir(), "above")
		must(t, os.Mkdir(above, 0o755))
		must(t, os.Chmod(above, mode))
		s := ssmSetup("install", "--region", "local", "--endpoint", "http://127.0.0.1:1", "--root", filepath.Join(above, "host"))
		if (s.code == ExitPermission) != wrong || wrong && !strings.Contains(s.err, "can be written by its group or by others: "+above) {
			t.Errorf("%s: %+v", mode, s)
		}
	}
}
