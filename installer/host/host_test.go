package host_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAFileIsWrittenWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, text := range []string{"one", "", "a longer text"} {
		ok(t, host.WriteFile(path, []byte(text), 0o600))
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := host.WriteFile(filepath.Join(dir, "no", "f"), nil, 0o600); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	ok(t, os.Mkdir(filepath.Join(dir, "d"), 0o755))
	ok(t, os.WriteFile(filepath.Join(dir, "d", "x"), nil, 0o600))
	if err := host.WriteFile(filepath.Join(dir, "d"), nil, 0o600); err == nil {
		t.Error("wrote over a folder")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("temporary files were left: %v", entries)
	}
}

func TestADiskTellsItsFreeSpace(t *testing.T) {
	if n, err := host.FreeBytes(t.TempDir()); err != nil || n == 0 {
		t.Errorf("%d, %v", n, err)
	}
}

func TestThisProcessIsDescribed(t *testing.T) {
	pid := os.Getpid()
	if !host.Alive(pid) || host.Alive(0) || host.Alive(-1) || host.Alive(1<<30) {
		t.Error("Alive is wrong")
	}
	exe, err := os.Executable()
	ok(t, err)
	if got, err := host.ProcessExecutable(pid); err != nil || filepath.Base(got) != filepath.Base(exe) {
		t.Errorf("runs %q, %v; want %q", got, err, exe)
	}
	started, err := host.ProcessStart(pid)
	if since := time.Since(started); err != nil || since < -2*time.Second || since > time.Hour {
		t.Errorf("started %v ago, %v", since, err)
	}
}

// A program that is killed while it makes a file leaves it under a name of its own. Others' files, and files that are being made, stay.
func TestFilesThatAProgramWasKilledOverAreRemoved(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-2 * time.Hour)
	for name, stays := range map[string]bool{".ledger.123456": false, ".update.lock.stale.77": false, ".decisions.9": true,
		"update.lock.12": true, ".profile": true, ".tar.gz": true, ".12": true, ".folder.7": true} {
		path := filepath.Join(dir, name)
		if name == ".folder.7" {
			ok(t, os.Mkdir(path, 0o755))
		} else {
			ok(t, os.WriteFile(path, nil, 0o600))
		}
		if name != ".decisions.9" {
			ok(t, os.Chtimes(path, old, old))
		}
		host.RemoveUnfinished(dir, time.Now().Add(-time.Hour))
		if _, err := os.Stat(path); (err == nil) != stays {
			t.Errorf("%s: stays is not %v: %v", name, stays, err)
		}
	}
}
