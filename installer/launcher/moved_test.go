//go:build unix

package launcher_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

// What cleans /var/lib, or a hand, made two launchers and two agents for good.
func TestLocksWhoseFolderIsRemovedOrMovedAreTakenAnew(t *testing.T) {
	for name, remove := range map[string]func(*machine){
		"removed": func(m *machine) {
			// The launcher may make its file anew while the rest is removed.
			if err := os.RemoveAll(filepath.Dir(m.LauncherLock())); !errors.Is(err, syscall.ENOTEMPTY) {
				m.ok(err)
			}
		},
		"moved": func(m *machine) { m.ok(os.Rename(filepath.Dir(m.LauncherLock()), m.Data()+"/elsewhere")) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachineAlone(t)
			cmd := m.launch()
			agent := m.await("start floor 1", 1)
			m.until("the agent lock", func() bool { pid, ok := launcher.AgentRunning(m.Paths); return ok && pid == agent })
			remove(m)
			m.until("the same agent's lock", func() bool { pid, ok := launcher.AgentRunning(m.Paths); return ok && pid == agent })
			m.until("the same launcher's lock", func() bool { pid, ok := launcher.Running(m.Paths); return ok && pid == cmd.Process.Pid })
			if n := m.count("start floor 1"); n != 1 {
				t.Errorf("%d agents were started", n)
			}
		})
	}
}

// A second launcher that came while the first could not notice has the lock: the first ends, its agent before it.
func TestALauncherThatFindsAnotherAtItsLockEndsWithItsAgent(t *testing.T) {
	m := newMachineAlone(t)
	first := m.launch()
	agent := m.await("start floor 1", 1)
	m.ok(syscall.Kill(first.Process.Pid, syscall.SIGSTOP))
	m.ok(syscall.Kill(agent, syscall.SIGSTOP))
	m.ok(os.RemoveAll(filepath.Dir(m.LauncherLock())))
	second := m.launch()
	other := m.await("start floor 1", 2)
	m.until("the other agent's lock", func() bool { pid, ok := launcher.AgentRunning(m.Paths); return ok && pid == other })
	m.ok(syscall.Kill(first.Process.Pid, syscall.SIGCONT))
	m.ok(syscall.Kill(agent, syscall.SIGCONT))
	m.gone(first.Process.Pid)
	if err := first.Wait(); err != nil {
		t.Errorf("the first launcher ended with %v", err)
	}
	m.gone(agent)
	m.until("one launcher", func() bool { pid, ok := launcher.Running(m.Paths); return ok && pid == second.Process.Pid })
	if n := m.count("start floor 1"); n != 2 {
		t.Errorf("%d agents were started", n)
	}
}

// An updater that sees no lock must not start a launcher beside one that lives.
func TestNoLauncherIsRevivedWhileOneLivesWithoutItsLock(t *testing.T) {
	m := newMachineAlone(t)
	pid, err := launcher.Detach(m.Paths)
	m.ok(err)
	agent := m.await("start floor 1", 1)
	m.stays(pid)
	m.ok(syscall.Kill(pid, syscall.SIGSTOP)) // it cannot notice
	m.ok(syscall.Kill(agent, syscall.SIGSTOP))
	m.ok(os.RemoveAll(filepath.Dir(m.LauncherLock())))
	if revived, err := launcher.Revive(m.Paths); revived != 0 || err != nil {
		t.Errorf("revived process %d, %v", revived, err)
	}
	m.ok(syscall.Kill(agent, syscall.SIGCONT))
	m.ok(syscall.Kill(pid, syscall.SIGCONT))
	m.stays(pid)
	m.ok(launcher.End(m.Paths, pid))
	m.none(pid)
}
