package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/store"
)

// TestMain is also another process that holds the update lock of the folder in HOLD until its input ends.
func TestMain(m *testing.M) {
	if root := os.Getenv("HOLD"); root != "" {
		lock, err := installer.LockUpdate(installer.At(root))
		fmt.Println(err)
		_, _ = os.Stdin.Read(make([]byte, 1))
		_ = lock.Release()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// held starts a program that holds the update lock; release has it end.
func held(t *testing.T, l installer.Layout, program string) (release func()) {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "HOLD="+l.Root)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	b := make([]byte, 64)
	if n, _ := out.Read(b); string(b[:n]) != "<nil>\n" {
		t.Fatalf("the holder says %q", b[:n])
	}
	release = sync.OnceFunc(func() { in.Close(); _ = cmd.Wait() })
	t.Cleanup(release)
	return release
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// program puts this test's program somewhere, with a version.
func program(t *testing.T, path, version string) {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	data, err := os.ReadFile(exe)
	must(t, err)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, append(data, "ssm-setup-version="+version+"\x00"...), 0o755))
}

// An updater that only sends an answer holds the lock for a moment: the package's script waits, or a broken package would leave
// nothing to fall back to.
func TestKeepFloorWaitsForAnUpdater(t *testing.T) {
	l := installer.At(t.TempDir())
	program(t, l.Worker(), "9.1.0.0")
	must(t, store.Store{Paths: l.Pointer()}.MakeSlots("9.1.0.0"))
	release := held(t, l, l.Worker())
	time.AfterFunc(300*time.Millisecond, release)
	if kept, err := keepFloorVersion(l); kept != "9.1.0.0" || err != nil {
		t.Fatalf("%q, %v", kept, err)
	}
	if state, err := pointer.Read(l.Pointer()); err != nil || state.Previous.Version != "9.1.0.0" {
		t.Errorf("%+v, %v", state, err)
	}
}

// An installation holds the lock while the package's scripts run: to wait for it would be in vain.
func TestKeepFloorDoesNotWaitForAnInstallation(t *testing.T) {
	l := installer.At(t.TempDir())
	program(t, l.Worker(), "9.1.0.0")
	must(t, store.Store{Paths: l.Pointer()}.MakeSlots("9.1.0.0"))
	setup := filepath.Join(t.TempDir(), filepath.Base(l.Worker()))
	program(t, setup, "9.1.0.0")
	held(t, l, setup)
	began := time.Now()
	if kept, err := keepFloorVersion(l); kept != "" || !errors.Is(err, installer.ErrBusy) || time.Since(began) > keepPatience {
		t.Errorf("%q, %v after %s", kept, err, time.Since(began))
	}
}
