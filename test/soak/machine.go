//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// patience bounds every wait.
const patience = 5 * time.Minute

// machine is one throwaway host.
type machine struct {
	*soak
	installer.Layout
	name    string
	node    string
	version string
	watched string // seconds, as the settings say now
	load    load
	made    int
	first   *holding
}

// hire installs a host with a package of one of the versions, in turn, and registers it.
func (s *soak) hire(n int) (*machine, error) {
	m := &machine{soak: s, Layout: installer.At(filepath.Join(s.dir, fmt.Sprint("root-", n+1))), name: fmt.Sprint("host ", n+1),
		version: versions[n%2]}
	if err := errors.Join(os.MkdirAll(filepath.Dir(m.ConfigFile()), 0o755), m.settings(s.watch)); err != nil {
		return nil, err
	}
	id, code, err := s.region.CreateActivation(1)
	if err != nil {
		return nil, err
	}
	before := s.region.Instances()
	cmd := []string{"install", "--root", m.Root, "--region", "local", "--endpoint", s.region.URL(), "--version", m.version,
		"--no-stay-current"}
	if err := run(s.dir, append(slices.Clone(s.env), "SSM_ACTIVATION_ID="+id, "SSM_ACTIVATION_CODE="+code), s.tool, cmd...); err != nil {
		return nil, err
	}
	for _, i := range s.region.Instances() {
		if !slices.ContainsFunc(before, func(o local.Instance) bool { return o.InstanceID == i.InstanceID }) {
			m.node = i.InstanceID
		}
	}
	m.load = load{m: m, stop: make(chan struct{}), ran: filepath.Join(m.Root, "ran")}
	return m, nil
}

// settings writes how long a version is watched, and keeps what an installation wrote.
func (m *machine) settings(seconds int) error {
	watch := fmt.Sprint(seconds)
	if m.watched == watch {
		return nil
	}
	path := m.ConfigFile()
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		text, err = []byte(`{"Agent": {"UpdateWatchSeconds": 0}}`), nil
	}
	if err != nil {
		return err
	}
	before, after, found := bytes.Cut(text, []byte(`"UpdateWatchSeconds"`))
	if !found {
		return fmt.Errorf("%s does not say how long a version is watched: %s", path, text)
	}
	end := bytes.IndexAny(after, ",}\n")
	text = slices.Concat(before, []byte(`"UpdateWatchSeconds": `+watch), after[end:])
	m.watched = watch
	return host.WriteFile(path, text, 0o600)
}

// live makes updates until there are none.
func (m *machine) live(todo <-chan plan) {
	m.load.begin()
	each := max(m.every/m.count, 1)
	for p := range todo {
		if m.made == 3 { // after a few, which fill caches and the store, is what the rest is compared with
			m.look()
		}
		began := time.Now()
		from := m.version
		u, err := m.update(p)
		if m.made++; err != nil {
			m.fault("update %d, %s, %s → %s: %v", p.number, m.name, from, u.To, err)
		}
		m.note(u)
		m.say("%4d %s %s → %s %-8s watch %2s s  %5.1f s, %4d ms without an agent", p.number, m.name, from, u.To, u.Asker, m.watched,
			time.Since(began).Seconds(), u.Without.Milliseconds())
		if m.made > 3 && m.made%each == 0 {
			m.look()
		}
	}
	m.load.end()
	m.look()
}

// update makes one, and checks how it ended.
func (m *machine) update(p plan) (u update, err error) {
	var others []string
	for _, v := range versions {
		if v != m.version {
			others = append(others, v)
		}
	}
	u = update{Number: p.number, To: others[p.choice], Asker: "person"}
	seconds := m.watch
	if p.long {
		seconds = 30
	}
	if err := m.settings(seconds); err != nil {
		return u, err
	}
	before, err := ledger.Read(m.Layout)
	if err != nil {
		return u, err
	}
	u.Known = u.To < m.version && slices.ContainsFunc(before.Confirmed, func(c ledger.ConfirmedVersion) bool {
		return c.Version.String() == u.To
	})
	gap := m.follow()
	if p.document {
		u.Asker = "document"
		err = m.byDocument(u.To)
	} else {
		args := []string{"update", "--root", m.Root, "--version", u.To}
		if u.To < m.version {
			args = append(args, "--allow-downgrade")
		}
		err = m.tell(args...)
	}
	gap.end(&u)
	led, lerr := m.closed()
	pulse, perr := installer.ReadPulse(m.Pulse())
	switch {
	case err != nil:
		err = fmt.Errorf("%w (%s runs)", err, pulse.Version)
	case perr != nil || pulse.Version != u.To:
		err = fmt.Errorf("the answer says that %s runs, and %s does, %w", u.To, pulse.Version, perr)
	case led.Last == nil || led.Last.ToVersion.String() != u.To:
		err = fmt.Errorf("the last update of the ledger is %+v", led.Last)
	}
	if perr == nil {
		m.version = pulse.Version
	}
	return u, errors.Join(err, lerr)
}

// byDocument has the region's document ask for a version.
func (m *machine) byDocument(version string) error {
	id, err := m.region.SendCommand("AWS-UpdateSSMAgent", m.node, map[string][]string{"version": {version}, "allowDowngrade": {"true"}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	inv, err := m.region.WaitCommand(ctx, id, m.node)
	if err != nil {
		return err
	}
	if inv.Status != "Success" || !strings.Contains(inv.StandardOutput, "updated successfully to "+version) {
		return fmt.Errorf("the document: %s: %s %s", inv.Status, inv.StandardOutput, inv.StandardError)
	}
	return nil
}

// closed waits until no update is open and no answer owed.
func (m *machine) closed() (led ledger.Ledger, err error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if led, err = ledger.Read(m.Layout); err == nil && led.Open == nil && len(led.Owed) == 0 {
			return led, nil
		}
	}
	return led, errors.Join(err, fmt.Errorf("the ledger is not closed: %+v, owed %v", led.Open, led.Owed))
}

// end leaves nothing running.
func (m *machine) end() {
	_ = m.tell("uninstall", "--root", m.Root)
	for _, pid := range m.processes() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// processes are those whose program lies below the root.
func (m *machine) processes() (found []int) {
	pids, _ := host.Processes()
	for _, pid := range pids {
		if exe, err := host.ProcessExecutable(pid); err == nil && strings.HasPrefix(exe, m.Root+string(filepath.Separator)) {
			found = append(found, pid)
		}
	}
	return found
}
