//go:build unix

package launcher_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// A token that cannot be removed, as on a read-only disk, costs the version on probation its turn, not the machine its agent.
func TestATokenThatCannotBeTakenCostsTheVersionItsTurn(t *testing.T) {
	m := newMachine(t)
	s := m.choose(m.have("9.2.0.0", "live"), true)
	for _, name := range pointer.TokenNames() {
		stuck := filepath.Join(m.Probation(s.Sequence), name)
		m.ok(os.Remove(stuck))
		m.ok(os.MkdirAll(filepath.Join(stuck, "x"), 0o755))
	}
	m.launch()
	m.await("start floor 2", 1)
	if n := m.count("start 9.2.0.0 2"); n != 0 {
		t.Error("started without paying")
	}
}

// Every updater may be killed: while a version is on probation the launcher starts another one, again and again.
func TestUpdatersAreStartedAgain(t *testing.T) {
	m := newMachine(t)
	m.choose(m.have("9.2.0.0", "live"), true)
	m.launch()
	m.await("updater floor resume", 3)
	if n := m.count("start 9.2.0.0 2"); n != 1 {
		t.Errorf("the agent was started %d times", n)
	}
}

// A pointer that went on probation while an agent runs is noticed, though that agent is not asked to leave.
func TestAProbationUnderARunningAgentIsNoticed(t *testing.T) {
	m := newMachine(t)
	m.launch()
	m.await("start floor 1", 1)
	m.choose(m.have("9.2.0.0", "live"), true)
	m.await("updater floor resume", 1)
}

// A package put a newer floor under the version in the store.
func TestANewerFloorGoesFirst(t *testing.T) {
	for _, c := range []struct{ name, stamp, want string }{
		{"whole", "9.1.0.0", "start floor 2"},
		{"half done", "9.0.0.0", "start 9.0.5.0 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachineAlone(t)
			old, err := m.store().Read()
			m.ok(err)
			sequence, err := m.store().Prepare(0)
			m.ok(err)
			change := switchBeside(old, sequence, m.have("9.0.5.0", "live"), "9.0.0.0")
			_, err = m.store().Switch(change)
			m.ok(err)
			m.stampFloor(c.stamp)
			m.launch()
			m.await(c.want, 1)
		})
	}
}

// stampFloor gives the floor's agent a version marker.
func (m *machine) stampFloor(version string) {
	m.Helper()
	program, err := os.ReadFile(m.Worker())
	m.ok(err)
	m.ok(os.Remove(m.Worker()))
	m.ok(os.WriteFile(m.Worker(), append(program, "ssm-setup-version="+version+"\x00"...), 0o755))
}

// A reader of the log that has gone to sleep stops nothing.
func TestALogThatIsNotReadStopsNothing(t *testing.T) {
	m := newMachine(t)
	m.act(pointer.Floor, "die")
	r, w, err := os.Pipe()
	m.ok(err)
	defer r.Close()
	defer w.Close()
	fd := int(w.Fd()) // asking for it makes the pipe a blocking one
	m.ok(syscall.SetNonblock(fd, true))
	for {
		if _, err := syscall.Write(fd, make([]byte, 4096)); err != nil {
			break
		}
	}
	m.ok(syscall.SetNonblock(fd, false))
	cmd := exec.Command(m.Launcher())
	cmd.Env, cmd.Stderr = os.Environ(), w
	m.ok(cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	m.await("start floor 1", 25)
	m.ok(cmd.Process.Signal(syscall.SIGTERM))
	if err := cmd.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
}

// A reader of the log that is gone stops nothing either.
func TestALogThatIsBrokenStopsNothing(t *testing.T) {
	m := newMachine(t)
	cmd := exec.Command(m.Launcher())
	r, err := cmd.StderrPipe()
	m.ok(err)
	m.ok(r.(io.Closer).Close())
	m.ok(cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	pid := m.await("start floor 1", 1)
	m.ok(syscall.Kill(pid, syscall.SIGKILL))
	m.await("start floor 1", 2)
}
