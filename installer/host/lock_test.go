//go:build unix

package host_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// The test binary is also the other process: TEST_LOCK names the folder it is to lock, or TEST_PIDLOCK the file.
func TestMain(m *testing.M) {
	if dir := os.Getenv("TEST_LOCK"); dir != "" {
		lock, holder, err := host.TryLock(dir)
		fmt.Println(lock != nil, holder, err)
		io.Copy(io.Discard, os.Stdin)
		return
	}
	if path := os.Getenv("TEST_PIDLOCK"); path != "" {
		_, err := host.TakePidLock(path, anyHolder, time.Now)
		fmt.Println(err == nil, err)
		io.Copy(io.Discard, os.Stdin)
		return
	}
	if os.Getenv("TEST_SLEEP") != "" {
		time.Sleep(time.Minute)
		return
	}
	os.Exit(m.Run())
}

func anyHolder(int, time.Time) bool { return true }

// other is another process that took a lock, or not.
type other struct {
	*exec.Cmd
	in   io.Closer
	said string
}

func newOther(t *testing.T, variable, path string) *other {
	t.Helper()
	exe, err := os.Executable()
	ok(t, err)
	o := &other{Cmd: exec.Command(exe)}
	o.Env = append(os.Environ(), variable+"="+path)
	o.in, err = o.StdinPipe()
	ok(t, err)
	out, err := o.StdoutPipe()
	ok(t, err)
	ok(t, o.Start())
	t.Cleanup(o.end)
	line, err := bufio.NewReader(out).ReadString('\n')
	ok(t, err)
	o.said = strings.TrimSpace(line)
	return o
}

func (o *other) end() {
	o.in.Close()
	o.Wait()
}

func TestAFolderLockNamesItsHolder(t *testing.T) {
	dir := t.TempDir()
	ok(t, os.Chmod(dir, 0o500)) // a read-only folder will do
	t.Cleanup(func() { os.Chmod(dir, 0o700) })
	if _, held, err := host.Holder(dir); err != nil || held {
		t.Fatalf("not held, it says: %t, %v", held, err)
	}
	o := newOther(t, "TEST_LOCK", dir)
	if o.said != "true 0 <nil>" {
		t.Fatalf("the other process: %s", o.said)
	}
	if pid, held, err := host.Holder(dir); err != nil || !held || pid != o.Process.Pid {
		t.Errorf("held by %d, %t, %v", pid, held, err)
	}
	if lock, pid, err := host.TryLock(dir); err != nil || lock != nil || pid != o.Process.Pid {
		t.Errorf("taken twice: %v, %d, %v", lock, pid, err)
	}
	o.end()
	lock, _, err := host.TryLock(dir)
	if err != nil || lock == nil {
		t.Fatalf("not free after its owner's end: %v", err)
	}
	if pid, rival := lock.Rival(); rival {
		t.Errorf("rival %d", pid)
	}
	second := newOther(t, "TEST_LOCK", dir)
	if want := "false " + strconv.Itoa(os.Getpid()) + " <nil>"; second.said != want {
		t.Errorf("the second process said %q, want %q", second.said, want)
	}
	if pid, rival := lock.Rival(); rival {
		t.Errorf("a process that was refused is a rival: %d", pid)
	}
	lock.Release()
	lock.Release()
	if o := newOther(t, "TEST_LOCK", dir); o.said != "true 0 <nil>" {
		t.Errorf("after the release: %s", o.said)
	}
	if _, _, err := host.TryLock(filepath.Join(dir, "no")); !errors.Is(err, host.ErrNoFolder) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// Of many that start at once exactly one gets the lock.
func TestOneOfManyTakesAFolderLock(t *testing.T) {
	dir := t.TempDir()
	results := make(chan *other)
	const n = 6
	for range n {
		go func() { results <- newOther(t, "TEST_LOCK", dir) }()
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

func TestAZombieIsNotAlive(t *testing.T) {
	cmd := exec.Command("true")
	ok(t, cmd.Start())
	for end := time.Now().Add(2 * time.Minute); host.Alive(cmd.Process.Pid); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("ended and still alive")
		}
	}
	ok(t, cmd.Wait())
}

func TestADetachedGroupIsKilledWhole(t *testing.T) {
	cmd := exec.Command("/bin/sh", "-c", "sleep 60 & echo $!; wait")
	host.Detached(cmd)
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	ok(t, err)
	child, err := strconv.Atoi(strings.TrimSpace(line))
	ok(t, err)
	if group, err := syscall.Getpgid(child); err != nil || group != cmd.Process.Pid {
		t.Errorf("group %d, %v", group, err)
	}
	ok(t, host.KillGroup(cmd.Process.Pid))
	_ = cmd.Wait()
	for end := time.Now().Add(2 * time.Minute); host.Alive(child); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the child lives on")
		}
	}
	ok(t, host.KillGroup(cmd.Process.Pid))
	if host.KillGroup(1) == nil || host.KillGroup(0) == nil {
		t.Error("the group of all processes is not to be killed")
	}
}
