package host_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

func TestAProcessOfAnotherAccountOrRootIsNotTrusted(t *testing.T) {
	if !host.Trusted(os.Getpid()) || host.Trusted(1<<30) {
		t.Error("this process, or one that is not there")
	}
	if os.Getuid() != 0 {
		t.Skip("only root can start a process of another account")
	}
	for name, c := range map[string]struct {
		attr *syscall.SysProcAttr
		want bool
	}{
		"our own":             {&syscall.SysProcAttr{}, true},
		"another account's":   {&syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}, false},
		"a mount namespace":   {&syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}, true},
		"a process namespace": {&syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}, false},
		"another root folder": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("/bin/sleep", "60")
			cmd.SysProcAttr = c.attr
			if c.attr == nil {
				cmd = chrooted(t)
			}
			if err := cmd.Start(); err != nil {
				t.Skip("this system does not let the test make one: ", err)
			}
			defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
			if got := host.Trusted(cmd.Process.Pid); got != c.want {
				t.Errorf("trusted: %t", got)
			}
		})
	}
}

// chrooted is this test, waiting with a folder of its own as root.
func chrooted(t *testing.T) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	ok(t, err)
	program, err := os.ReadFile(self)
	ok(t, err)
	ok(t, os.WriteFile(dir+"/test", program, 0o755))
	cmd := exec.Command("/test")
	cmd.Path, cmd.Dir, cmd.Env = "/test", "/", []string{"TEST_SLEEP=1"}
	cmd.Err = nil
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: dir}
	return cmd
}
