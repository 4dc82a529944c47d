//go:build unix

package host_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

func TestAPidLockHasTheOriginalsFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "update.lock")
	now := time.Unix(1700000000, 0)
	lock, err := host.TakePidLock(path, anyHolder, func() time.Time { return now })
	ok(t, err)
	for file, want := range map[string]string{path: strconv.Itoa(os.Getpid()) + "\n", path + ".expire": "1700003600\n"} {
		got, err := os.ReadFile(file)
		info, _ := os.Stat(file)
		if err != nil || string(got) != want || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %q %v, %v", file, got, info.Mode(), err)
		}
	}
	again, err := host.TakePidLock(path, anyHolder, time.Now) // the owner is us: taken anew
	ok(t, err)
	ok(t, again.Release())
	ok(t, lock.Release())
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestAPidLockOfAnotherProcessHolds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "update.lock")
	o := newOther(t, "TEST_PIDLOCK", path)
	if o.said != "true <nil>" {
		t.Fatal(o.said)
	}
	pid := o.Process.Pid
	_, err := host.TakePidLock(path, anyHolder, time.Now)
	var locked *host.LockedError
	if !errors.Is(err, host.ErrLocked) || !errors.As(err, &locked) || locked.PID != pid {
		t.Errorf("taken from the living: %v", err)
	}
	if got, held := host.PidLockHolder(path, anyHolder, time.Now); !held || got != pid {
		t.Errorf("holder %d, %t", got, held)
	}
	later := func() time.Time { return time.Now().Add(host.PidLockLife) }
	if _, held := host.PidLockHolder(path, anyHolder, later); held {
		t.Error("held beyond its expiry")
	}
	ok(t, os.Remove(path+".expire"))
	if _, held := host.PidLockHolder(path, anyHolder, later); !held {
		t.Error("without a file there is no expiry")
	}
	ok(t, os.WriteFile(path+".expire", []byte("soon\n"), 0o600))
	if _, held := host.PidLockHolder(path, anyHolder, time.Now); held {
		t.Error("an expiry that cannot be understood means expired")
	}
	ok(t, os.Remove(path+".expire"))
	noHolder := func(int, time.Time) bool { return false }
	if _, held := host.PidLockHolder(path, noHolder, time.Now); held {
		t.Error("some other program that got the id holds no lock")
	}
	o.end()
	lock, err := host.TakePidLock(path, anyHolder, time.Now)
	ok(t, err)
	ok(t, lock.Release())
}

func TestDamagedPidLocksDoNotHold(t *testing.T) {
	for _, content := range []string{"", "x\n", "-5\n", "0\n", "99999999999999999999\n", strconv.Itoa(1<<30) + "\n"} {
		path := filepath.Join(t.TempDir(), "update.lock")
		ok(t, os.WriteFile(path, []byte(content), 0o600))
		ok(t, os.WriteFile(path+".expire", []byte("99999999999\n"), 0o600))
		lock, err := host.TakePidLock(path, anyHolder, time.Now)
		if err != nil {
			t.Errorf("%q: %v", content, err)
			continue
		}
		ok(t, lock.Release())
	}
	if _, err := host.TakePidLock(filepath.Join(t.TempDir(), "no", "update.lock"), anyHolder, time.Now); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestOneOfManyTakesAPidLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "update.lock")
	results := make(chan *other)
	const n = 6
	for range n {
		go func() { results <- newOther(t, "TEST_PIDLOCK", path) }()
	}
	won := 0
	for range n {
		if o := <-results; strings.HasPrefix(o.said, "true") {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d of %d took the lock", won, n)
	}
}

func TestAnUpdaterIsKnownByItsProgram(t *testing.T) {
	if host.IsUpdater(os.Getpid(), time.Now()) {
		t.Error("a test is no updater")
	}
	script := exec.Command("sh", "-c", "read line; :")
	hold, err := script.StdinPipe()
	if err == nil {
		err = script.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { hold.Close(); _ = script.Wait() }()
	if !host.IsUpdater(script.Process.Pid, time.Now().Add(time.Minute)) {
		t.Error("a package's script holds the lock during a removal")
	}
	if !host.IsUpdater(1<<30, time.Now()) {
		t.Error("where the system does not tell, the process is believed")
	}
}
