//go:build linux

package main

import (
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/test/model/disk"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// scenario is what happens on a host.
type scenario struct {
	name     string
	nature   map[string]string // version → dead, brief, late, mute, hang; else sound
	versions []string          // of the region
	before   []ledger.Request  // that were brought to their end before
	request  *ledger.Request
	upgrade  string // a package of this version is installed
	off      map[string]bool
	seen     map[string]bool
}

// command is a request by a document.
func command(want, id string) *ledger.Request {
	return &ledger.Request{ID: id, Want: want, Why: ledger.ByDocument,
		ReplyTo: &ledger.ReplyTo{MessageID: "aws.ssm." + id + ".mi-1", PluginKey: "p", PluginName: "aws:updateSsmAgent"}}
}

func scenarios() []scenario {
	two, three := []string{"9.1.0.0", "9.2.0.0"}, []string{"9.1.0.0", "9.2.0.0", "9.3.0.0"}
	first := *command("9.2.0.0", "first")
	list := []scenario{
		{name: "good", versions: two, request: command("9.2.0.0", "c")},
	}
	for _, nature := range []string{"dead", "brief", "late", "mute", "hang"} {
		list = append(list, scenario{name: nature, versions: two, request: command("9.2.0.0", "c"), nature: map[string]string{"9.2.0.0": nature}})
	}
	return append(list,
		scenario{name: "rollback", versions: two, before: []ledger.Request{first}, request: &ledger.Request{ID: "r", Want: ledger.Previous,
			Why: ledger.ByRollback}},
		scenario{name: "second", versions: three, before: []ledger.Request{first}, request: command("9.3.0.0", "c")},
		scenario{name: "second-dead", versions: three, before: []ledger.Request{first}, request: command("9.3.0.0", "c"),
			nature: map[string]string{"9.3.0.0": "dead"}},
		scenario{name: "package", versions: two, before: []ledger.Request{first}, upgrade: "9.5.0.0"},
		scenario{name: "package-dead", versions: two, before: []ledger.Request{first}, upgrade: "9.5.0.0",
			nature: map[string]string{"9.5.0.0": "dead"}},
		scenario{name: "package-alone-dead", versions: two, upgrade: "9.5.0.0", nature: map[string]string{"9.5.0.0": "dead"}},
	)
}

// start is a state of a host that a life begins from.
type start struct {
	image   disk.Image
	history *history
	now     time.Time
	boot    int
	begun   bool // the request was made
}

// prepare is the host before the request.
func (s scenario) prepare() start {
	s.off = map[string]bool{}
	began := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	h := &history{tokens: map[uint64]int{}}
	m := newMachine(s, nil, h, began, 0)
	put(m.layout.Launcher(), program("9.1.0.0"))
	put(m.layout.Worker(), program("9.1.0.0"))
	must(disk.MkdirAll(m.layout.Data(), 0o755))
	must(m.store().MakeSlots("9.1.0.0"))
	m.startService(0)
	m.run(m.now.Add(3*time.Minute), nil)
	for _, r := range s.before {
		m.startUpdater(m.layout.Worker(), &r)
		m.run(m.now.Add(3*time.Minute), nil)
	}
	m.end()
	return start{image: m.Disk.SyncAll(), history: &history{tokens: map[uint64]int{}}, now: m.now.Add(time.Hour), boot: 1}
}

// live begins a life: the service starts, and where the request was not made yet, it is made a minute later.
func (s scenario) live(from start, plan []fault) *machine {
	m := newMachine(s, from.image, from.history.clone(), from.now, from.boot)
	m.plan = plan
	m.startService(0)
	if from.begun {
		return m
	}
	switch {
	case s.upgrade != "":
		m.spawn("package", "/usr/bin/dpkg", time.Minute, m.install)
	case s.request != nil:
		m.spawn("plugin", m.layout.Worker(), time.Minute, func(*proc) { m.startUpdater(m.activeProgram(), s.request) })
	}
	return m
}

func (m *machine) activeProgram() string {
	state, _ := pointer.Read(m.layout.Pointer())
	return m.layout.Pointer().File(state.Active)
}

// install is what a package manager does with a new package of ours.
func (m *machine) install(p *proc) {
	lock, err := installer.LockUpdate(m.layout)
	for n := 0; errors.Is(err, installer.ErrBusy) && n < 30; n++ {
		p.wait(time.Second)
		lock, err = installer.LockUpdate(m.layout)
	}
	if err == nil {
		_, _ = m.store().KeepFloor(versionIn(m.layout.Worker()))
		_ = lock.Release()
	}
	for _, file := range []string{m.layout.Launcher(), m.layout.Worker()} {
		f, err := disk.OpenFile(file+".dpkg-new", disk.O_WRONLY|disk.O_CREATE|disk.O_TRUNC, 0o755)
		must(err)
		_, err = f.Write(program(m.scenario.upgrade))
		must(err)
		must(f.Sync())
	}
	for _, file := range []string{m.layout.Launcher(), m.layout.Worker()} {
		must(disk.Rename(file+".dpkg-new", file))
	}
	d, err := disk.Open(filepath.Dir(m.layout.Worker()))
	must(err)
	must(d.Sync())
	m.history.upgraded = true
	m.before("restart", "")
	if m.agent != nil {
		m.agent.how = "signal 15"
		m.kill(m.agent.proc)
	}
	if m.launcher != nil {
		m.kill(m.launcher.proc)
	}
}

// sound tells whether a version works.
func (s scenario) sound(version string) bool { return version != "" && s.nature[version] == "" }

// rest tells whether the machine is at rest, and if not why.
func (m *machine) rest() string {
	switch {
	case m.agent == nil:
		return "no agent runs"
	case !m.scenario.sound(m.agent.version):
		return "a broken version runs: " + m.agent.version
	case m.now.Sub(m.agent.born) < 90*time.Second:
		return "the agent is new"
	}
	for _, p := range m.procs {
		if p.name == "updater" || p.name == "package" || p.name == "plugin" {
			return "a process works: " + p.name
		}
	}
	state, err := pointer.Read(m.layout.Pointer())
	floor := versionIn(m.layout.Worker()) // another version than the launcher's where a package is half there
	switch {
	case err != nil:
		return err.Error()
	case state.Probation:
		return "a version is on trial"
	case m.launcher == nil:
		return "no launcher runs"
	case state.FloorFirst(floor) && floor == m.launcher.stamp && floor == versionIn(m.layout.Launcher()):
		return "the floor is new"
	case floor == versionIn(m.layout.Launcher()) && orFloor(state.Active, floor) != m.agent.version:
		return m.agent.version + " runs, the pointer says " + orFloor(state.Active, floor)
	}
	led, err := ledger.Read(m.layout)
	switch {
	case err != nil:
		return err.Error()
	case led.Open != nil:
		return "an update is open at " + led.Open.Stop
	case len(led.Owed) > 0:
		return "an answer is owed"
	}
	return ""
}

// truth tells what is untrue of a machine at rest.
func (m *machine) truth(faults int) string {
	led, err := ledger.Read(m.layout)
	if err != nil {
		return err.Error()
	}
	runs := m.agent.version
	for _, h := range led.Skip {
		if h.Version.String() == runs && !h.Scheduled {
			return runs + " runs, though it is blocked"
		}
	}
	if o := led.Last; o != nil && m.scenario.upgrade == "" && m.scenario.nature[o.ToVersion.String()] != "late" {
		if o.RunningVersion.String() != runs {
			return runs + " runs, the ledger says " + o.RunningVersion.String()
		}
		if o.Success && o.Kind == ledger.Updated && o.ToVersion.String() != runs {
			return runs + " runs, the ledger says that it was updated to " + o.ToVersion.String()
		}
	}
	switch to := m.target(); {
	case to == "" || led.Last == nil:
	case faults <= 1 && m.history.taken && m.scenario.sound(to) && runs != to:
		return runs + " runs, though " + to + " is sound, was taken, and no more than one fault came"
	case faults == 0 && !m.scenario.sound(to) && !blocked(led, to):
		return to + " failed and is not blocked"
	}
	if m.history.taken && m.scenario.request.ReplyTo != nil {
		if len(m.history.final) == 0 {
			return "the command was taken and never answered"
		}
		for _, f := range m.history.final {
			if good := f == "Success"; good != (led.Last != nil && led.Last.Success) {
				return "answers " + strings.Join(m.history.final, ", ") + " and the ledger differ"
			}
		}
	}
	return ""
}

// target is the version that the scenario's request names; empty: none.
func (m *machine) target() string {
	if r := m.scenario.request; r != nil && r.Want != ledger.Previous {
		return r.Want
	}
	return ""
}

func blocked(l ledger.Ledger, version string) bool {
	for _, h := range l.Skip {
		if h.Version.String() == version && !h.Scheduled {
			return true
		}
	}
	return false
}
