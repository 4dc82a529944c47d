package launcher_test

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

// stays is the one of these launchers that is at work when the others have ended.
func (m *machine) stays(pids ...int) (one int) {
	m.Helper()
	m.until("a single launcher", func() bool {
		var running bool
		if one, running = launcher.Running(m.Paths); !running {
			return false
		}
		for _, pid := range pids {
			if pid != one && host.Alive(pid) {
				return false
			}
		}
		return strings.TrimSpace(m.read(m.PidFile())) == strconv.Itoa(one)
	})
	return one
}

// none fails unless nothing runs, and nothing comes.
func (m *machine) none(pids ...int) {
	m.Helper()
	for _, pid := range pids {
		m.gone(pid)
	}
	m.until("the last agent's end", func() bool { _, working := launcher.AgentRunning(m.Paths); return !working })
	m.until("a free lock", func() bool { _, running := launcher.Running(m.Paths); return !running }) // its threads end one by one
	if _, err := os.Stat(m.PidFile()); !os.IsNotExist(err) {
		m.Errorf("pid file: %v", err)
	}
}

func TestOfManyDetachedLaunchersOneStays(t *testing.T) {
	m := newMachineAlone(t)
	var pids []int
	for range 4 {
		pid, err := launcher.Detach(m.Paths)
		m.ok(err)
		pids = append(pids, pid)
	}
	one := m.stays(pids...)
	m.await("start floor 1", 1)
	m.ok(launcher.End(m.Paths, one)) // as a kill by hand does
	m.none(pids...)
	if n := m.count("start floor 1"); n != 1 {
		t.Errorf("%d agents were started", n)
	}
}

// The agent that lost its launcher starts another, and so does an updater in the same moment.
func TestALauncherRevivedFromTwoSidesIsOne(t *testing.T) {
	m := newMachineAlone(t)
	first, err := launcher.Detach(m.Paths)
	m.ok(err)
	m.await("start floor 1", 1)
	m.stays(first)
	m.kill(first)
	m.gone(first)
	var both sync.WaitGroup
	pids := make([]int, 2)
	for i := range pids {
		both.Go(func() { pids[i], _ = launcher.Revive(m.Paths) })
	}
	both.Wait()
	m.await("start floor 1", 2)
	one := m.stays(pids...)
	m.ok(launcher.End(m.Paths, one))
	m.none(append(pids, one)...)
}

// A stop of the service removes the pid file and asks the running launcher: a launcher that has come no further than its start
// ends by itself.
func TestALauncherThatComesAfterTheStop(t *testing.T) {
	m := newMachineAlone(t)
	for wait := range 12 {
		pid, err := launcher.Detach(m.Paths)
		m.ok(err)
		time.Sleep(time.Duration(wait) * time.Millisecond)
		m.ok(os.Remove(m.PidFile()))
		if running, ok := launcher.Running(m.Paths); ok {
			m.ok(launcher.End(m.Paths, running))
		}
		m.none(pid)
	}
}

func TestAReplacementTakesOver(t *testing.T) {
	m := newMachineAlone(t)
	first, err := launcher.Detach(m.Paths)
	m.ok(err)
	agent := m.await("start floor 1", 1)
	m.stays(first)
	second, err := launcher.Replace(m.Paths, first)
	m.ok(err)
	m.await("start floor 1", 2)
	m.gone(first)
	m.gone(agent)
	if one := m.stays(first, second); one != second {
		t.Errorf("process %d runs, want %d", one, second)
	}
	m.ok(launcher.End(m.Paths, second))
	m.none(second)
}

// A log that cannot be written is no reason to be without an agent.
func TestADetachedLauncherNeedsNoLog(t *testing.T) {
	m := newMachineAlone(t)
	m.ok(os.MkdirAll(m.LaunchLog(), 0o755))
	_, err := launcher.Detach(m.Paths)
	m.ok(err)
	m.await("start floor 1", 1)
}

// An image is built in a container, where a detached launcher runs, and boots later under a service manager; or one is put into a running
// system. The detached launcher makes room, and its agent starts no other.
func TestADetachedLauncherMakesRoomForOneThatAServiceManagerStarts(t *testing.T) {
	m := newMachineAlone(t)
	first, err := launcher.Detach(m.Paths)
	m.ok(err)
	agent := m.await("start floor 1", 1)
	m.stays(first)
	second := m.launch().Process.Pid
	m.await("start floor 1", 2)
	m.gone(first)
	m.gone(agent)
	m.until("the launcher of the service manager", func() bool { one, running := launcher.Running(m.Paths); return running && one == second })
	if _, err := os.Stat(m.PidFile()); !os.IsNotExist(err) {
		t.Errorf("pid file: %v", err)
	}
	if pid, err := launcher.Revive(m.Paths); pid != 0 || err != nil {
		t.Errorf("a second launcher was started: %d, %v", pid, err)
	}
}

// The pid file of an image names a process of the machine that it was built on.
func TestThePidFileOfAnImageIsForgottenUnderAServiceManager(t *testing.T) {
	m := newMachineAlone(t)
	m.ok(os.WriteFile(m.PidFile(), []byte("4711       \n"), 0o644))
	m.launch()
	m.await("start floor 1", 1)
	if _, err := os.Stat(m.PidFile()); !os.IsNotExist(err) {
		t.Errorf("pid file: %v", err)
	}
}
