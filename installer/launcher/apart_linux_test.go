package launcher_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

// apart gives a program a mount namespace of its own, as a unit with PrivateTmp or ProtectSystem has a new one at each start.
func apart(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can make a mount namespace")
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
}

// launchApart starts a launcher in a mount namespace of its own.
func (m *machine) launchApart() *exec.Cmd {
	m.Helper()
	cmd := exec.Command(m.Launcher())
	apart(m.T, cmd)
	cmd.Env = append(os.Environ(), m.env...)
	log, err := os.OpenFile(filepath.Join(m.Root, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	m.ok(err)
	defer log.Close()
	cmd.Stderr = log
	m.ok(cmd.Start())
	m.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

// The service is restarted under PrivateTmp: the agent of before, which does not leave, is of another mount namespace.
func TestALauncherInAMountNamespaceOfItsOwnKnowsTheAgentOfTheOneBefore(t *testing.T) {
	m := newMachineAlone(t)
	m.act("floor", "deaf")
	first := m.launchApart()
	agent := m.await("start floor 1", 1)
	m.until("the agent lock", func() bool { pid, ok := launcher.AgentRunning(m.Paths); return ok && pid == agent })
	m.ok(first.Process.Kill())
	_ = first.Wait()
	m.act("floor", "")
	second := m.launchApart()
	next := m.await("start floor 1", 2)
	if host.Alive(agent) {
		t.Error("the agent of before lives beside the next")
	}
	m.until("the next agent's lock", func() bool { pid, ok := launcher.AgentRunning(m.Paths); return ok && pid == next })
	if pid, ok := launcher.Running(m.Paths); !ok || pid != second.Process.Pid {
		t.Errorf("launcher %d, %t", pid, ok)
	}
	m.ok(launcher.End(m.Paths, second.Process.Pid))
	m.gone(second.Process.Pid)
	m.gone(next)
}

// An original under PrivateTmp, whose program dpkg has replaced by ours since, is waited for all the same.
func TestAnOriginalInAMountNamespaceOfItsOwnIsWaitedFor(t *testing.T) {
	m := newMachineAlone(t)
	end := m.original(m.Launcher(), func(cmd *exec.Cmd) { apart(t, cmd) })
	m.plant(m.Launcher() + ".dpkg-new")
	m.ok(os.Rename(m.Launcher()+".dpkg-new", m.Launcher()))
	m.launchApart()
	m.waitsFor(end)
}
