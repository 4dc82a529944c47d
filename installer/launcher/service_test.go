package launcher_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

func TestAStopIsAByteToTheAgent(t *testing.T) {
	m := newMachine(t)
	cmd := m.launch()
	pid := m.await("start floor 1", 1)
	m.until("the agent lock", func() bool { got, ok := launcher.AgentRunning(m.Paths); return ok && got == pid })
	if got, ok := launcher.Running(m.Paths); !ok || got != cmd.Process.Pid {
		t.Errorf("launcher lock held by %d, %t", got, ok)
	}
	m.ok(launcher.End(m.Paths, cmd.Process.Pid))
	if err := cmd.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
	m.await("leave floor", 1)
	m.gone(pid)
}

func TestAnOrderlyStopLeavesNoPidFile(t *testing.T) {
	m := newMachine(t)
	cmd := m.launch()
	m.await("start floor 1", 1)
	m.ok(os.WriteFile(m.Paths.PidFile(), []byte(strconv.Itoa(cmd.Process.Pid)+"\n"), 0o644))
	m.ok(launcher.End(m.Paths, cmd.Process.Pid))
	_ = cmd.Wait()
	if _, err := os.Stat(m.Paths.PidFile()); !os.IsNotExist(err) {
		t.Error("a reader of the pid file takes the launcher for one that died")
	}
	other := m.launch()
	m.await("start floor 1", 2)
	m.ok(os.WriteFile(m.Paths.PidFile(), []byte("1\n"), 0o644))
	m.ok(launcher.End(m.Paths, other.Process.Pid))
	_ = other.Wait()
	if _, err := os.Stat(m.Paths.PidFile()); err != nil {
		t.Error("it removed the pid file of another:", err)
	}
}

func TestAnAgentThatDoesNotStopIsKilled(t *testing.T) {
	m := newMachine(t)
	m.act(pointer.Floor, "deaf")
	cmd := m.launch()
	pid := m.await("start floor 1", 1)
	m.ok(launcher.End(m.Paths, cmd.Process.Pid))
	if err := cmd.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
	m.gone(pid)
}

func TestAnEndForAnUpdateIsNoDeath(t *testing.T) {
	m := newMachine(t)
	m.launch()
	m.await("start floor 1", 1)
	v2 := m.have("9.2.0.0", "live")
	s := m.choose(v2, true)
	m.stopAgent()
	m.await("leave floor", 1)
	m.await("start 9.2.0.0 2", 1)
	if n := pointer.Tokens(m.Paths, s.Sequence); n != 2 {
		t.Errorf("%d tokens left after one start on probation", n)
	}
	m.await("updater floor resume", 1)
	_, err := m.store().Confirm(s.Sequence)
	m.ok(err)
	m.stopAgent()
	m.await("start 9.2.0.0 3", 1)
	if n := m.count("unattached"); n > 0 {
		t.Error("an agent was started without its contract")
	}
}

func TestThreeDeathsMoveOn(t *testing.T) {
	m := newMachine(t)
	m.choose(m.have("9.2.0.0", "live"), false)
	m.choose(m.have("9.3.0.0", "die"), false)
	m.launch()
	m.await("start 9.2.0.0 3", 1)
	if n := m.count("start 9.3.0.0 3"); n != 3 {
		t.Errorf("the dying version was started %d times, want 3", n)
	}
	m.until("word of how it died", func() bool {
		d, err := launcher.ReadDeath(m.Paths)
		return err == nil && d.Version == "9.3.0.0" && d.Floor == floorVersion && d.Sequence == 3 && d.PID > 0 && d.How == "exit code 1"
	})
}

func TestDeathsAreForgottenWhenNothingIsLeft(t *testing.T) {
	m := newMachine(t)
	m.act(pointer.Floor, "die")
	m.choose(m.have("9.2.0.0", "die"), false)
	m.launch()
	m.await("start 9.2.0.0 2", 4)
	m.await("start floor 2", 4)
	m.act(pointer.Floor, "live")
	m.until("a floor that stays", func() bool { _, ok := launcher.AgentRunning(m.Paths); return ok })
}

func TestAVersionOnProbationThatEndsByItsOwnDoingGoesBackAtTheFirst(t *testing.T) {
	m := newMachine(t)
	s := m.choose(m.have("9.2.0.0", "fault"), true)
	m.launch()
	m.await("start floor 2", 1)
	if n := m.count("start 9.2.0.0 2"); n != 1 {
		t.Errorf("started %d times on probation, want 1", n)
	}
	if n := pointer.Tokens(m.Paths, s.Sequence); n != 2 {
		t.Errorf("%d tokens left, want 2: they are for deaths that no launcher saw", n)
	}
	m.await("updater floor resume", 1)
}

func TestTokensCountAcrossLaunchers(t *testing.T) {
	m := newMachine(t)
	m.choose(m.have("9.2.0.0", "live"), true)
	for i := range 3 {
		cmd := m.launch()
		pid := m.await("start 9.2.0.0 2", i+1)
		m.await("updater floor resume", i+1) // wine leaves a half-made child when its maker is killed
		m.ok(cmd.Process.Kill())             // a power cut, as far as it goes
		m.kill(pid)
		_ = cmd.Wait()
		m.gone(pid)
	}
	m.launch()
	m.await("start floor 2", 1)
	if n := m.count("start 9.2.0.0 2"); n != 3 {
		t.Errorf("started %d times on probation, want 3", n)
	}
}

func TestWithoutTokensTheLastSoundAgentRunsAllTheSame(t *testing.T) {
	m := newMachine(t)
	s := m.choose(m.have("9.2.0.0", "live"), true)
	m.ok(m.store().DropTokens(s.Sequence))
	m.ok(os.Remove(m.Worker()))
	m.launch()
	m.await("start 9.2.0.0 2", 1)
}

func TestAnUndoneVersionIsNotStartedAgain(t *testing.T) {
	m := newMachine(t)
	m.launch()
	m.await("start floor 1", 1)
	s := m.choose(m.have("9.2.0.0", "live"), true)
	m.stopAgent()
	m.await("start 9.2.0.0 2", 1)
	m.ok(m.store().DropTokens(s.Sequence))
	m.stopAgent()
	_, err := m.store().Back(s.Sequence, pointer.Target{})
	m.ok(err)
	m.until("the floor again", func() bool { return m.count("start floor 2")+m.count("start floor 3") > 0 })
	if n := m.count("start 9.2.0.0 2"); n != 1 {
		t.Errorf("the undone version was started %d times", n)
	}
}

func TestASilentAgentIsKilled(t *testing.T) {
	for _, act := range []string{"mute", "hang"} {
		t.Run(act, func(t *testing.T) {
			m := newMachine(t)
			m.env = []string{"TEST_SHORT_SILENCE=1"}
			m.choose(m.have("9.2.0.0", act), false)
			m.launch()
			m.await("start floor 2", 1)
			// Its own word of a start may be missing: it was silent before it had come so far.
			if n := strings.Count(m.read(filepath.Join(m.Root, "log")), "started agent 9.2.0.0 ("); n != 3 {
				t.Errorf("started %d times, want 3", n)
			}
		})
	}
}

func TestATamperedVersionIsNotStarted(t *testing.T) {
	m := newMachine(t)
	v2 := m.have("9.2.0.0", "live")
	m.choose(v2, false)
	m.ok(os.Remove(m.File(v2)))
	m.ok(os.WriteFile(m.File(v2), []byte("#!/bin/sh\n"), 0o755))
	m.launch()
	m.await("start floor 2", 1)
	if n := m.count("start 9.2.0.0 2"); n != 0 {
		t.Error("it was started")
	}
}

func TestAnOrphanLeavesAndTheNextLauncherWaits(t *testing.T) {
	m := newMachine(t)
	first := m.launch()
	pid := m.await("start floor 1", 1)
	m.ok(first.Process.Kill())
	_ = first.Wait()
	m.launch()
	m.await("orphan floor", 1)
	m.gone(pid)
	m.await("start floor 1", 2)
}

func TestAnOrphanThatDoesNotLeaveIsKilled(t *testing.T) {
	m := newMachine(t)
	m.act(pointer.Floor, "deaf")
	first := m.launch()
	pid := m.await("start floor 1", 1)
	m.until("the agent lock", func() bool { _, ok := launcher.AgentRunning(m.Paths); return ok })
	m.ok(first.Process.Kill())
	_ = first.Wait()
	m.launch()
	m.gone(pid)
	m.await("start floor 1", 2)
}

func TestTheSecondLauncherWaitsForTheFirst(t *testing.T) {
	m := newMachine(t)
	a, b := m.launch(), m.launch()
	m.await("start floor 1", 1)
	m.until("one that waits", func() bool {
		log, _ := os.ReadFile(filepath.Join(m.Root, "log"))
		return strings.Contains(string(log), "another launcher is running")
	})
	runs, _ := launcher.Running(m.Paths)
	one, other := a, b
	if runs == b.Process.Pid {
		one, other = b, a
	}
	if n := m.count("start floor 1"); n != 1 {
		t.Errorf("%d agents", n)
	}
	m.ok(launcher.End(m.Paths, one.Process.Pid))
	_ = one.Wait()
	m.await("start floor 1", 2)
	if runs, _ := launcher.Running(m.Paths); runs != other.Process.Pid {
		t.Errorf("process %d runs, want %d", runs, other.Process.Pid)
	}
}

func TestWithoutPointerAndFoldersTheFloorRuns(t *testing.T) {
	m := newMachine(t)
	m.ok(os.RemoveAll(m.Data()))
	m.launch()
	m.await("start floor 0", 1)
	m.until("the agent lock", func() bool { _, ok := launcher.AgentRunning(m.Paths); return ok })
}

func TestADetachedLauncherComesBack(t *testing.T) {
	m := newMachineAlone(t)
	pid, err := launcher.Detach(m.Paths)
	m.ok(err)
	m.await("start floor 1", 1)
	if got := strings.TrimSpace(m.read(m.PidFile())); got != strconv.Itoa(pid) {
		t.Errorf("the pid file says %s", got)
	}
	m.kill(pid)
	m.await("orphan floor", 1)
	m.await("start floor 1", 2)
	if again, ok := launcher.Running(m.Paths); !ok || again == pid {
		t.Errorf("process %d runs", again)
	}
}

// The service's log is where an administrator looks first, and an update's result is in it whichever program made it.
func TestTheLogSaysHowAnUpdateBeganAndHowItEnded(t *testing.T) {
	m := newMachine(t)
	m.launch()
	m.await("start floor 1", 1)
	says := func(what string) {
		t.Helper()
		m.until(what, func() bool { return strings.Contains(m.read(filepath.Join(m.Root, "log")), what) })
	}
	says("started agent " + floorVersion + " (process ")
	s := m.choose(m.have("9.2.0.0", "live"), true)
	says("updating " + floorVersion + " → 9.2.0.0")
	m.stopAgent()
	says("ended, as it was asked to: ")
	m.await(fmt.Sprintf("start 9.2.0.0 %d", s.Sequence), 1)
	_, err := m.store().Confirm(s.Sequence)
	m.ok(err)
	says("9.2.0.0 confirmed after ")

	s = m.choose(m.have("9.3.0.0", "die"), true)
	says("updating 9.2.0.0 → 9.3.0.0")
	m.stopAgent()
	says("agent 9.3.0.0 (process ")
	says("ended unexpectedly: exit code 1")
	m.ok(m.store().DropTokens(s.Sequence))
	_, err = m.store().Back(s.Sequence, pointer.OnFloor())
	m.ok(err)
	says("update 9.2.0.0 → 9.3.0.0 failed: 9.2.0.0 is active again")
}
