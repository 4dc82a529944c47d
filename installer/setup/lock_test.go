package setup

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
)

// here is an installation whose agent is not registered and was never updated.
func here(l installer.Layout) Installation {
	return Installation{l, Ports{
		Registered:  func(installer.Layout) (string, string, error) { return "", "", nil },
		UpdateEnded: func(installer.Layout, time.Duration) bool { return false },
	}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// holdLock has another process hold the lock of an installation until the returned func is called, or the test ends.
func holdLock(t *testing.T, dir string) (end func()) {
	t.Helper()
	lock := exec.Command(os.Args[0], "-test.run=^TestHoldsLock$")
	lock.Env = append(os.Environ(), "HOLD_LOCK_OF="+dir)
	in, _ := lock.StdinPipe()
	out, _ := lock.StdoutPipe()
	if err := lock.Start(); err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() { in.Close(); lock.Wait() })
	t.Cleanup(end)
	out.Read(make([]byte, 1))
	return end
}

// TestHoldsLock is the other installation of the tests.
func TestHoldsLock(t *testing.T) {
	dir := os.Getenv("HOLD_LOCK_OF")
	if dir == "" {
		return
	}
	release, err := here(installer.At(dir)).Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	os.Stdout.Write([]byte{'!'})
	os.Stdin.Read(make([]byte, 1))
}

// An updater that has told its outcome still holds the lock for a moment: a removal waits for it, and for no other.
func TestRemovalWaitsForAnUpdaterThatTidiesUp(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "host")
	end := holdLock(t, dir)
	if _, err := here(installer.At(dir)).Lock(); !errors.Is(err, installer.ErrBusy) {
		t.Errorf("another one is at work: %v", err)
	}
	looks := 0
	release, err := lockWhile(installer.At(dir), func() bool {
		if looks++; looks == 3 {
			end()
		}
		return true
	})
	if err != nil || looks < 3 {
		t.Fatal(err, looks)
	}
	release()
}
