package crash_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

// A machine is one root, whose state at the begin of a scenario is kept beside it.
type machine struct {
	*lab
	installer.Layout
	tracer *tracer
	node   string // its id in the region
	out    *os.File
	dir    string
	asked  time.Time // when the update was asked for
	number int       // of the run, for what it leaves outside the root
}

// newMachine makes a host.
func (l *lab) newMachine() (*machine, error) {
	dir, err := os.MkdirTemp(l.dir, "host-")
	if err != nil {
		return nil, err
	}
	root := filepath.Join(dir, "root")
	m := &machine{lab: l, Layout: installer.At(root), dir: dir, tracer: &tracer{root: root, filter: l.filter, live: map[int]*process{}}}
	if err := errors.Join(os.Chmod(dir, 0o755), os.MkdirAll(filepath.Dir(m.ConfigFile()), 0o755)); err != nil {
		return nil, err
	}
	if m.out, err = os.Create(filepath.Join(dir, "out")); err != nil {
		return nil, err
	}
	if err := os.WriteFile(m.ConfigFile(), []byte(`{"Agent": {"UpdateWatchSeconds": 2}}`), 0o600); err != nil {
		return nil, err
	}
	if err := m.build(); err != nil {
		m.end()
		return nil, err
	}
	return m, nil
}

// build installs the host, updates it, and keeps both states.
func (m *machine) build() error {
	if err := m.do("install", "--root", m.Root, "--region", m.region.Name(), "--endpoint", m.region.URL(), "--version", packageVersion,
		"--no-stay-current"); err != nil {
		return err
	}
	if err := m.freeze("package"); err != nil {
		return err
	}
	if err := m.begin("package", packageVersion); err != nil {
		return err
	}
	err := m.do("update", "--root", m.Root, "--version", soundVersion)
	for range 5 { // on a machine that is busy a sound release may take longer than the short watch allows
		if err == nil {
			break
		}
		err = m.do("update", "--root", m.Root, "--version", soundVersion)
	}
	if err != nil {
		return err
	}
	return m.freeze("updated")
}

// freeze stops the host and keeps its files under a name.
func (m *machine) freeze(name string) error {
	p, err := installer.ReadPulse(m.Pulse())
	if err != nil {
		return err
	}
	if m.node = p.InstanceID; m.node == "" {
		return errors.New("it is not registered")
	}
	if err := m.stop(); err != nil {
		return err
	}
	if err := os.WriteFile(m.PidFile(), []byte(strings.Repeat(" ", 11)+"\n"), 0o644); err != nil {
		return err
	}
	return copyTree(m.Root, filepath.Join(m.dir, name))
}

// begin puts a kept state in place and starts the host.
func (m *machine) begin(state, version string) error {
	m.end()
	m.number++
	if err := os.RemoveAll(m.Root); err != nil {
		return err
	}
	if err := copyTree(filepath.Join(m.dir, state), m.Root); err != nil {
		return err
	}
	return m.start(version)
}

// start starts the launcher as a boot would, and waits for a healthy agent of a version (any: "").
func (m *machine) start(version string) error {
	began := time.Now()
	if err := m.launch(); err != nil {
		return err
	}
	return m.healthy(version, began)
}

// launch starts the launcher, without a service manager.
func (m *machine) launch() error {
	if err := os.WriteFile(m.PidFile(), []byte(strings.Repeat(" ", 11)+"\n"), 0o644); err != nil {
		return err
	}
	_, err := m.tracer.start(host.CleanEnvironment(os.Environ(), m.Credentials(), "SSM_DETACHED=0"), m.out, m.Launcher(), "service",
		"--root", m.Root)
	return err
}

// healthy waits for an agent that reached the region after a moment.
func (m *machine) healthy(version string, after time.Time) error {
	var p installer.Pulse
	err := m.until(patience, func() bool {
		var err error
		p, err = installer.ReadPulse(m.Pulse())
		return err == nil && (version == "" || p.Version == version) && p.LastRoundTrip.After(after) && p.At.After(after)
	})
	if err != nil {
		return fmt.Errorf("no healthy agent of version %q, the last was %s (reached the region %s, fault %q): %w", version, p.Version,
			p.LastRoundTrip.Format(time.TimeOnly), p.LastFault, err)
	}
	return nil
}

// stop has the launcher end as a shutdown would, and waits until no process is left.
func (m *machine) stop() error {
	_ = os.Remove(m.PidFile())
	if pid, running := launcher.Running(m.Pointer()); running {
		_ = syscall.Kill(pid, syscall.SIGTERM)
	}
	return m.until(stopWithin, func() bool {
		_, launching := launcher.Running(m.Pointer())
		_, working := launcher.AgentRunning(m.Pointer())
		return !launching && !working && len(m.tracer.running()) == 0
	})
}

// end leaves nothing running.
func (m *machine) end() {
	m.tracer.disarm()
	_ = os.Remove(m.PidFile())
	_ = m.until(stopWithin, func() bool {
		m.tracer.kill(func(process) bool { return true })
		return len(m.tracer.running()) == 0
	})
}

// Bounds of waits.
const (
	patience   = 100 * time.Second
	stopWithin = 30 * time.Second
)

var errNever = errors.New("it never came")

// until looks fifty times a second.
func (m *machine) until(within time.Duration, done func() bool) error {
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if done() {
			return nil
		}
	}
	return errNever
}

// copyTree copies a tree with modes and links; programs, which are never written in place, are linked.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from, path)
		target := filepath.Join(to, rel)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			return errors.Join(os.MkdirAll(target, 0o755), os.Chmod(target, info.Mode().Perm()))
		case d.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			return errors.Join(err, os.Symlink(link, target))
		case !d.Type().IsRegular():
			return nil
		case info.Size() > 1<<20:
			return os.Link(path, target)
		}
		text, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(target, text, info.Mode().Perm()), os.Chmod(target, info.Mode().Perm()),
			os.Chtimes(target, info.ModTime(), info.ModTime()))
	})
}
