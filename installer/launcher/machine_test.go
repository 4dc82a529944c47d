package launcher_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/store"
)

// machine is a throwaway installation.
type machine struct {
	*testing.T
	pointer.Paths
	hash string
	env  []string
}

// newMachine makes one, and has the test run beside others.
func newMachine(t *testing.T) *machine {
	t.Helper()
	t.Parallel()
	return newMachineAlone(t)
}

// newMachineAlone is for tests that change this process, or write a program: another test's fork would keep it open.
func newMachineAlone(t *testing.T) *machine {
	t.Helper()
	m := &machine{T: t, Paths: pointer.At(folder(t))}
	root := m.Root
	for _, dir := range []string{m.Bin(), filepath.Join(root, "act")} {
		m.ok(os.MkdirAll(dir, 0o755))
	}
	m.plant(m.Launcher())
	m.plant(m.Worker())
	m.ok(m.store().MakeSlots(floorVersion))
	f, err := os.Open(m.Worker())
	m.ok(err)
	defer f.Close()
	m.hash, err = host.SHA256(f)
	m.ok(err)
	t.Cleanup(m.end)
	return m
}

// folder is the test's own. On Windows a program that was started, and killed before it was a process, keeps its file for a
// while (under wine for good), and no process can be asked for it: what cannot be removed then stays, and is said.
func folder(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if runtime.GOOS == "windows" {
		var err error
		if root, err = os.MkdirTemp("", "launcher"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			for range 20 {
				if err = os.RemoveAll(root); err == nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
			t.Logf("left behind: %v", err)
		})
	}
	root, err := filepath.EvalSymlinks(root)
	if err == nil {
		err = os.Chmod(root, 0o755) // whatever the umask: nothing is run from where others may write
	}
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func (m *machine) ok(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func (m *machine) store() store.Store { return store.Store{Paths: m.Paths} }

// plant puts the test binary somewhere.
func (m *machine) plant(path string) {
	m.Helper()
	exe, err := os.Executable()
	m.ok(err)
	if runtime.GOOS == "windows" || os.Link(exe, path) != nil { // there a process may show the other name
		data, err := os.ReadFile(exe)
		m.ok(err)
		m.ok(os.WriteFile(path, data, 0o755))
	}
	_ = os.Chmod(path, 0o755) // whatever the umask
}

// have adds a version to the store and tells how it behaves.
func (m *machine) have(version, act string) pointer.Target {
	m.Helper()
	m.act(version, act)
	t := pointer.Target{Version: version, Hash: m.hash}
	m.ok(os.MkdirAll(m.Version(version), 0o755))
	m.plant(m.File(t))
	return t
}

func (m *machine) act(version, act string) {
	m.Helper()
	m.ok(os.WriteFile(filepath.Join(m.Root, "act", version), []byte(act), 0o600))
}

// choose writes the pointer as an updater does.
func (m *machine) choose(to pointer.Target, probation bool) pointer.State {
	m.Helper()
	old, err := m.store().Read()
	m.ok(err)
	sequence, err := m.store().Prepare(0)
	m.ok(err)
	s, err := m.store().Switch(store.Change{From: old.Sequence, Sequence: sequence, To: to, Probation: probation, Floor: floorVersion})
	m.ok(err)
	return s
}

// switchBeside is a decision that was made beside another floor.
func switchBeside(old pointer.State, sequence uint64, to pointer.Target, floor string) store.Change {
	return store.Change{From: old.Sequence, Sequence: sequence, To: to, Floor: floor}
}

// launch starts a launcher; its log goes to the test's.
func (m *machine) launch() *exec.Cmd {
	m.Helper()
	cmd := exec.Command(m.Launcher())
	cmd.Env = append(os.Environ(), m.env...)
	log, err := os.OpenFile(filepath.Join(m.Root, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	m.ok(err)
	defer log.Close()
	cmd.Stderr = log // a file: agents that outlive the launcher would hold a pipe open
	m.ok(cmd.Start())
	m.Cleanup(func() {
		if runtime.GOOS == "windows" { // wine leaves a half-made child when its maker is killed: orderly first
			_ = launcher.End(m.Paths, cmd.Process.Pid)
			for end := time.Now().Add(3 * time.Second); host.Alive(cmd.Process.Pid) && time.Now().Before(end); {
				time.Sleep(5 * time.Millisecond)
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// end leaves nothing running.
func (m *machine) end() {
	_ = os.Remove(m.PidFile())
	for range 2000 {
		pid, launching := launcher.Running(m.Paths)
		if launching {
			m.kill(pid)
		}
		pid, working := launcher.AgentRunning(m.Paths)
		if working {
			m.kill(pid)
		}
		if !launching && !working && !m.inUse() {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if log, err := os.ReadFile(filepath.Join(m.Root, "log")); err == nil && m.Failed() {
		m.Logf("launcher:\n%s", log)
		events, _ := os.ReadFile(filepath.Join(m.Root, "events"))
		m.Logf("events:\n%s", events)
	}
}

// inUse reports whether some process runs a program of the machine, whose file some systems then cannot remove.
func (m *machine) inUse() bool {
	pids, _ := host.Processes()
	for _, pid := range pids {
		if exe, err := host.ProcessExecutable(pid); err == nil && m.Owns(exe) {
			return true
		}
	}
	return false
}

// stopAgent has the agent at work leave, as an updater does.
func (m *machine) stopAgent() {
	m.Helper()
	pid, _ := launcher.AgentRunning(m.Paths)
	m.ok(launcher.StopAgent(m.Context(), m.Paths, pid, time.Minute))
}

// kill ends a process at once; one that is gone is no error.
func (m *machine) kill(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
		_ = p.Release()
	}
}

func (m *machine) read(path string) string {
	m.Helper()
	b, err := os.ReadFile(path)
	m.ok(err)
	return string(b)
}

// events are "what who more" without process ids.
func (m *machine) events() (out []string, pids []int) {
	b, _ := os.ReadFile(filepath.Join(m.Root, "events"))
	for line := range bytes.Lines(b) {
		f := strings.Fields(string(line))
		pid, _ := strconv.Atoi(f[2])
		out = append(out, strings.Join(append(f[:2:2], f[3:]...), " "))
		pids = append(pids, pid)
	}
	return out, pids
}

// count tells how often an event happened.
func (m *machine) count(event string) int {
	n := 0
	all, _ := m.events()
	for _, e := range all {
		if e == event {
			n++
		}
	}
	return n
}

// await waits for the nth time of an event and returns the process it names.
func (m *machine) await(event string, nth int) (pid int) {
	m.Helper()
	m.until(fmt.Sprintf("%q for the %d. time", event, nth), func() bool {
		events, pids := m.events()
		n := 0
		for i, e := range events {
			if e == event {
				n++
				pid = pids[i]
			}
			if n == nth {
				return true
			}
		}
		return false
	})
	return pid
}

func (m *machine) until(what string, done func() bool) {
	m.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(3 * time.Millisecond) {
		if done() {
			return
		}
	}
	m.Fatalf("never came: %s", what)
}

func (m *machine) gone(pid int) {
	m.Helper()
	m.until(fmt.Sprintf("the end of process %d", pid), func() bool { return !host.Alive(pid) })
}

// output runs a program of the machine.
func (m *machine) output(name string, args ...string) (string, error) {
	m.Helper()
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, io.Discard
	err := cmd.Run()
	return strings.TrimSpace(out.String()), err
}
