//go:build unix

package detection_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

// machine is one throwaway root.
type machine struct {
	*lab
	installer.Layout
}

// patience bounds every wait of a run.
const patience = 6 * time.Minute

// play installs a host, updates it to the release of the class, and looks.
func (l *lab) play(r run) (got result) {
	got.run = r
	root, err := os.MkdirTemp(l.dir, "root-")
	if err != nil {
		got.err = err
		return got
	}
	m := &machine{l, installer.At(root)}
	defer m.end()
	if got.err = os.Chmod(root, 0o755); got.err != nil {
		return got
	}
	version, err := m.prepare()
	if err != nil {
		got.err = err
		return got
	}
	cmd := exec.Command(l.tool, "update", "--root", root, "--version", r.class.version)
	var said bytes.Buffer
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = l.env, l.dir, &said, &said
	if got.err = cmd.Start(); got.err != nil {
		return got
	}
	if got.err = m.look(&got, version); got.err != nil {
		got.err = fmt.Errorf("%w; the update said: %s", got.err, said.String())
	}
	err = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != r.class.exit {
		got.err = errors.Join(got.err, fmt.Errorf("the update ended with %d, %w: %s", code, err, said.String()))
	}
	return got
}

// prepare brings a host to where the updater is of the pairing's code, and tells which version runs there.
func (m *machine) prepare() (string, error) {
	version, watch := packageVersion, "30"
	if m.launcher != m.updater {
		version, watch = overlayVersion, "4"
	}
	if err := m.settings(watch); err != nil {
		return "", err
	}
	if err := m.do(m.floorTool, "install", "--root", m.Root, "--region", m.region.Name(), "--endpoint", m.region.URL(),
		"--version", packageVersion); err != nil {
		return "", err
	}
	if version == packageVersion {
		return version, nil
	}
	if err := m.do(m.tool, "update", "--root", m.Root, "--version", version); err != nil {
		return "", err
	}
	return version, m.settings("30")
}

// settings writes how long a version is watched, and keeps what an installation wrote.
func (m *machine) settings(watch string) error {
	path := m.ConfigFile()
	text, err := os.ReadFile(path)
	if err != nil {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, []byte(`{"Agent": {"UpdateWatchSeconds": `+watch+`}}`), 0o600)
	}
	_, after, found := bytes.Cut(text, []byte(`"UpdateWatchSeconds"`))
	if !found {
		return fmt.Errorf("%s does not say how long a version is watched: %s", path, text)
	}
	end := bytes.IndexAny(after, ",}\n")
	text = append(text[:len(text)-len(after):len(text)-len(after)], append([]byte(": "+watch), after[end:]...)...)
	return os.WriteFile(path, text, 0o600)
}

// look follows a release on trial to its end: the version before beats again, or the release is confirmed and stays.
func (m *machine) look(got *result, version string) error {
	if got.class.kills > 0 {
		return m.kills(got, version)
	}
	var faults []time.Time
	var pulse installer.Pulse
	err := m.until(func() bool {
		began, broke := m.broken()
		if len(began) == 0 {
			return false
		}
		if faults = broke; got.class.how == "hang" || got.class.how == "mute" {
			faults = began[:1]
		}
		p, err := installer.ReadPulse(m.Pulse())
		if err != nil {
			return false
		}
		due := p.Version == version || len(broke) > 0 // what never breaks does not count as what runs next
		if n := len(got.times); due && n < len(faults) && p.At.After(faults[n]) && p.Started.After(faults[n]) {
			got.times = append(got.times, p.At.Sub(faults[n]))
		}
		pulse = p
		return len(faults) > 0 && p.Version == version && p.Started.After(faults[len(faults)-1])
	})
	if err != nil {
		return fmt.Errorf("%s never came back after %d faults: %w", version, len(faults), err)
	}
	began, _ := m.broken()
	got.total = pulse.At.Sub(began[0])
	return nil
}

// broken is what the release wrote down: when it began, and when it broke.
func (m *machine) broken() (began, broke []time.Time) {
	text, err := os.ReadFile(filepath.Join(m.Data(), "broken"))
	if err != nil {
		return nil, nil
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) != 3 {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, f[1])
		if err != nil {
			continue
		}
		if f[0] == "began" {
			began = append(began, at)
		} else {
			broke = append(broke, at)
		}
	}
	return began, broke
}

// kills ends the agent on trial at random moments, and waits for the next agent after each.
func (m *machine) kills(got *result, version string) error {
	var first time.Time
	last := 0
	for n := range got.class.kills {
		pid, err := m.onTrial(got.class.version, last)
		if err != nil {
			return err
		}
		if last = pid; n == 0 {
			first = time.Now()
		}
		window := 29 * time.Second
		if got.class.kills > 1 {
			window = 20 * time.Second
		}
		time.Sleep(time.Duration(got.random.Int64N(int64(window))))
		signal := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT}[got.random.IntN(3)]
		if err := syscall.Kill(pid, signal); err != nil {
			return fmt.Errorf("kill the agent on trial: %w", err)
		}
		at := time.Now()
		want := got.class.version
		if n == 1 {
			want = version
		}
		var p installer.Pulse
		err = m.until(func() bool {
			var err error
			p, err = installer.ReadPulse(m.Pulse())
			return err == nil && p.Version == want && p.Started.After(at)
		})
		if err != nil {
			return fmt.Errorf("no beat of %s after kill %d: %w", want, n+1, err)
		}
		got.times = append(got.times, p.At.Sub(at))
		if n == 1 {
			got.total = p.At.Sub(first)
		}
	}
	return nil
}

// onTrial waits for an agent of a version, another than the last.
func (m *machine) onTrial(version string, last int) (pid int, err error) {
	err = m.until(func() bool {
		got, running := launcher.AgentRunning(m.Pointer())
		if !running || got == last {
			return false
		}
		exe, err := host.ProcessExecutable(got)
		pid = got
		return err == nil && strings.HasPrefix(exe, m.Store(version)+string(filepath.Separator))
	})
	return pid, err
}

var errNever = errors.New("it never came")

// until looks fifty times a second.
func (m *machine) until(done func() bool) error {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if done() {
			return nil
		}
	}
	return errNever
}

// end leaves nothing running.
func (m *machine) end() {
	_ = m.do(m.tool, "uninstall", "--root", m.Root)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		left := 0
		pids, _ := host.Processes()
		for _, pid := range pids {
			if exe, err := host.ProcessExecutable(pid); err == nil && strings.HasPrefix(exe, m.Root+string(filepath.Separator)) {
				left++
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		if left == 0 {
			break
		}
	}
	_ = os.RemoveAll(m.Root)
}
