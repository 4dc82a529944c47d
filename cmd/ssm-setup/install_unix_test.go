//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asNobody runs ssm-setup without privileges, whoever runs the test.
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

func TestSystemNeedsRoot(t *testing.T) {
	s := asNobody(t, "install", "--region", "local", "--endpoint", "http://127.0.0.1:1")
	if s.code != exitPermission || !strings.Contains(s.err, "--root") {
		t.Errorf("%+v", s)
	}
}

func TestNoPermission(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	s := asNobody(t, "install", "--region", "local", "--endpoint", "http://127.0.0.1:1", "--root", filepath.Join(dir, "host"))
	if s.code != exitPermission || !strings.Contains(s.err, "hint: ") {
		t.Errorf("%+v", s)
	}
}

// A folder that others can write to would keep every later update from running: said at once.
func TestLooseRoot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "host")
	os.Mkdir(dir, 0o755)
	os.Chmod(dir, 0o775)
	s := ssmSetup("install", "--region", "local", "--endpoint", "http://127.0.0.1:1", "--root", dir)
	if s.code != exitPermission || !strings.Contains(s.err, "hint: chmod go-w") {
		t.Errorf("%+v", s)
	}
}
