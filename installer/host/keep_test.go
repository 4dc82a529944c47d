//go:build unix

package host_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

func TestALockWhoseFolderWasRemovedOrMovedIsTakenAnew(t *testing.T) {
	data := t.TempDir()
	locks := filepath.Join(data, "lock")
	dir := filepath.Join(locks, "agent")
	for name, remove := range map[string]func(){
		"removed":         func() { ok(t, os.RemoveAll(dir)) },
		"its parent too":  func() { ok(t, os.RemoveAll(locks)) },
		"moved":           func() { ok(t, os.Rename(locks, filepath.Join(data, "moved"))) },
		"nothing happens": func() {},
	} {
		t.Run(name, func(t *testing.T) {
			ok(t, os.MkdirAll(dir, 0o700))
			lock, _, err := host.TryLock(dir)
			ok(t, err)
			defer lock.Release()
			remove()
			for range 2 {
				if holder, lost, err := lock.Keep(); holder != 0 || lost || err != nil {
					t.Fatalf("%d, %t, %v", holder, lost, err)
				}
			}
			if said := newOther(t, "TEST_LOCK", dir).said; said == "true 0 <nil>" {
				t.Errorf("another process takes it: %s", said)
			}
		})
	}
}

func TestALockThatAnotherTookInTheMeantimeIsLost(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lock", "agent")
	ok(t, os.MkdirAll(dir, 0o700))
	lock, _, err := host.TryLock(dir)
	ok(t, err)
	defer lock.Release()
	ok(t, os.Rename(dir, dir+".old"))
	ok(t, os.Mkdir(dir, 0o700))
	o := newOther(t, "TEST_LOCK", dir)
	if holder, lost, err := lock.Keep(); holder != o.Process.Pid || !lost || err != nil {
		t.Errorf("%d (other: %d), %t, %v", holder, o.Process.Pid, lost, err)
	}
}

// An uninstaller removes the data folder: nothing of it comes back.
func TestALockMakesNoDataFolder(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	dir := filepath.Join(data, "lock", "agent")
	ok(t, os.MkdirAll(dir, 0o700))
	lock, _, err := host.TryLock(dir)
	ok(t, err)
	defer lock.Release()
	ok(t, os.RemoveAll(data))
	if _, lost, err := lock.Keep(); lost || err == nil {
		t.Errorf("%t, %v", lost, err)
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
}
