//go:build linux

package installer_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// The test binary is also another process that takes the update lock.
func TestMain(m *testing.M) {
	if root := os.Getenv("TEST_UPDATE_LOCK"); root != "" {
		_, err := installer.LockUpdate(installer.At(root))
		os.Stdout.WriteString("taken: " + map[bool]string{true: "yes", false: "no"}[err == nil] + "\n")
		io.Copy(io.Discard, os.Stdin)
		return
	}
	os.Exit(m.Run())
}

func TestTheUpdateLockIsTakenOnce(t *testing.T) {
	l := installer.At(filepath.Join(t.TempDir(), "root"))
	if _, held := installer.UpdateLockHolder(l); held {
		t.Error("not held, it says")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "TEST_UPDATE_LOCK="+l.Root)
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); strings.TrimSpace(line) != "taken: yes" {
		t.Fatal(line)
	}
	if pid, held := installer.UpdateLockHolder(l); !held || pid != cmd.Process.Pid {
		t.Errorf("held by %d, %t", pid, held)
	}
	var locked *host.LockedError
	if _, err := installer.LockUpdate(l); !errors.Is(err, installer.ErrBusy) || !errors.As(err, &locked) || locked.PID != cmd.Process.Pid {
		t.Errorf("taken twice: %v", err)
	}
	cmd.Process.Kill() // leaves its files behind
	in.Close()
	cmd.Wait()
	lock, err := installer.LockUpdate(l)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(lock.Renew(), lock.Release()); err != nil {
		t.Error(err)
	}
	if _, held := installer.UpdateLockHolder(l); held {
		t.Error("held after its release")
	}
	if _, err := os.Stat(l.UpdateLock()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("lock file: %v", err)
	}
}
