//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/store"
	"github.com/ssm-setup/ssm-setup/test/model/disk"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// machine is a host between two power cuts: a disk, a clock that moves from one process's turn to the next, and processes, one of which
// is at work at a time. Every change of the disk is a step that the explorer may put a fault before.
type machine struct {
	*disk.Machine
	scenario scenario
	layout   installer.Layout
	history  *history
	now      time.Time
	booted   time.Time
	procs    []*proc // that live
	working  *proc
	ids      int
	boots    string
	launcher *launching
	agent    *agent

	steps  int
	plan   []fault
	look   func(op, path string) // sees every step before it is made; may be nil
	broken []string              // what must not be, and was
	log    io.Writer
	own    uint64 // sequence under which a version on trial ended by its own doing, seen by the launcher that runs
	died   bool   // a fault killed something: the next minute is a restart
}

// history is what the world outside of the machine remembers, and what the model counts: it outlives power cuts.
type history struct {
	taken    bool           // the sender was told that its command was taken
	final    []string       // status of the final replies
	tokens   map[uint64]int // that were left for certain at the last start on trial, by sequence
	upgraded bool           // the package is whole
}

func (h *history) clone() *history {
	c := *h
	c.final = append([]string(nil), h.final...)
	c.tokens = map[uint64]int{}
	for k, v := range h.tokens {
		c.tokens[k] = v
	}
	return &c
}

func (h *history) key() string {
	return fmt.Sprint(h.taken, len(h.final), h.final, h.upgraded, h.tokens)
}

// proc is a process.
type proc struct {
	disk.Process
	name string
	wake time.Time
	next func() (time.Time, bool)
	stop func()
	wait func(time.Duration) // has others their turn
}

var errKilled = errors.New("killed")

func newMachine(s scenario, image disk.Image, h *history, now time.Time, boot int) *machine {
	m := &machine{scenario: s, layout: installer.At(""), history: h, now: now, booted: now, boots: fmt.Sprintf("boot-%d", boot), ids: 100,
		log: io.Discard}
	m.Machine = &disk.Machine{Disk: disk.New(image), Clock: func() time.Time { return m.now }, Locks: map[string]int{},
		Off: s.off, Seen: s.seen, Before: m.before,
		Running: func() *disk.Process { return &m.working.Process },
		Find: func(pid int) *disk.Process {
			for _, p := range m.procs {
				if p.ID == pid {
					return &p.Process
				}
			}
			return nil
		},
		All: func() (list []int) {
			for _, p := range m.procs {
				list = append(list, p.ID)
			}
			return list
		}}
	disk.Play(m.Machine)
	m.working = &proc{name: "system", Process: disk.Process{ID: 1, Exe: "/sbin/init"}}
	return m
}

// spawn begins a process after a time.
func (m *machine) spawn(name, exe string, after time.Duration, body func(p *proc)) *proc {
	m.ids++
	p := &proc{Process: disk.Process{ID: m.ids, Exe: exe, Started: m.now.Add(after)}, name: name, wake: m.now.Add(after)}
	turns := func(yield func(time.Time) bool) {
		defer func() {
			p.Dead = true
			if r := recover(); r != nil && r != errKilled { //nolint:errorlint // it is this very value
				panic(r)
			}
		}()
		p.wait = func(d time.Duration) {
			if !yield(m.now.Add(d)) || p.Dead {
				p.Dead = true
				panic(errKilled)
			}
		}
		body(p)
	}
	p.next, p.stop = iter.Pull(iter.Seq[time.Time](turns))
	m.procs = append(m.procs, p)
	return p
}

// run has the processes their turns until done says so, or until a time.
func (m *machine) run(until time.Time, done func() bool) {
	for m.now.Before(until) && len(m.procs) > 0 {
		p := m.procs[0]
		for _, q := range m.procs[1:] {
			if q.wake.Before(p.wake) {
				p = q
			}
		}
		if p.wake.After(m.now) {
			m.now = p.wake
		}
		m.turn(p)
		if done != nil && done() {
			return
		}
	}
}

func (m *machine) turn(p *proc) {
	before := m.working
	m.working = p
	wake, alive := p.next()
	m.working = before
	if p.wake = wake; !alive {
		m.buried(p)
	}
}

// buried takes a process away that ended.
func (m *machine) buried(p *proc) {
	p.Dead = true
	for i, q := range m.procs {
		if q == p {
			m.procs = append(m.procs[:i:i], m.procs[i+1:]...)
			break
		}
	}
	for dir, pid := range m.Locks {
		if pid == p.ID {
			delete(m.Locks, dir)
		}
	}
	switch {
	case m.agent != nil && m.agent.proc == p:
		how := m.agent.how
		if m.agent.trial != 0 && how == "exit code 3" && m.launcher != nil {
			m.own = m.agent.trial
		}
		m.agent = nil
		if l := m.launcher; l != nil {
			l.ends = append(l.ends, ended{p.ID, how})
			l.proc.wake = m.now
		}
	case m.launcher != nil && m.launcher.proc == p:
		m.launcher, m.own = nil, 0
		if m.agent != nil { // the end of its pipe: it leaves
			m.agent.how, m.agent.leaving = "signal 15", true
			m.agent.proc.wake = m.now.Add(time.Second)
		}
		m.startService(time.Second)
	}
}

// kill ends a process at once.
func (m *machine) kill(p *proc) {
	if p == m.working {
		p.Dead = true
		panic(errKilled)
	}
	p.Dead = true
	before := m.working
	m.working = p
	p.stop()
	m.working = before
	m.buried(p)
}

// end has everything end, for good.
func (m *machine) end() {
	m.look, m.plan = nil, nil
	for len(m.procs) > 0 {
		p := m.procs[0]
		p.Dead = true
		m.working = p
		p.stop()
		m.procs = m.procs[1:]
	}
}

// before is a step.
func (m *machine) before(op, path string) {
	if m.working.ID == 1 || strings.HasSuffix(path, "/pulse") {
		return
	}
	m.steps++
	if m.look != nil {
		m.look(op, path)
	}
	for len(m.plan) > 0 && m.plan[0].step == m.steps {
		f := m.plan[0]
		m.plan = m.plan[1:]
		fmt.Fprintf(m.log, "%s   FAULT %s before %s %s by %s\n", m.time(), f.kind, op, path, m.working.name)
		m.strike(f.kind)
	}
}

func (m *machine) time() string { return m.now.Format("15:04:05.000") }

// strike has a fault happen.
func (m *machine) strike(kind faultKind) {
	m.died = true
	switch kind {
	case killSelf:
		if m.agent != nil && m.working == m.agent.proc {
			m.agent.how = "signal 9"
		}
		m.kill(m.working)
	case killAgent:
		if m.agent != nil {
			m.agent.how = "signal 9"
			m.kill(m.agent.proc)
		}
	case killLauncher:
		if m.launcher != nil {
			m.kill(m.launcher.proc)
		}
	case killUpdaters:
		for _, p := range append([]*proc(nil), m.procs...) {
			if p.name == "updater" && p != m.working {
				m.kill(p)
			}
		}
	case stall:
		m.working.wait(70 * time.Second)
	}
}

// wrong notes what must never be.
func (m *machine) wrong(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintf(m.log, "%s   WRONG %s\n", m.time(), text)
	m.broken = append(m.broken, text)
}

func (m *machine) store() store.Store { return store.Store{Paths: m.layout.Pointer()} }

// startService starts the launcher, as the service manager does.
func (m *machine) startService(after time.Duration) {
	stamp := versionIn(m.layout.Launcher())
	l := &launching{stamp: stamp}
	l.proc = m.spawn("launcher", m.layout.Launcher(), after, func(p *proc) {
		if m.launcher != nil && m.launcher.proc != p && !m.launcher.proc.Dead {
			return
		}
		m.launcher = l
		s := launcher.Service{Paths: m.layout.Pointer(), Stamp: stamp, Timing: launcher.Design(), Log: m.log, System: launcher.System{
			Now: func() time.Time { return m.now },
			Wait: func(d time.Duration, _ <-chan os.Signal) bool {
				if len(l.ends) == 0 {
					p.wait(d)
				}
				return false
			},
			Start: m.startChild,
			Next: func() (int, string, bool) {
				if len(l.ends) == 0 {
					return 0, "", false
				}
				e := l.ends[0]
				l.ends = l.ends[1:]
				return e.pid, e.how, true
			},
			Kill: func(pid int) error {
				if m.agent != nil && m.agent.proc.ID == pid {
					m.agent.how = "signal 9"
					m.kill(m.agent.proc)
				}
				return nil
			},
		}}
		_ = s.Run()
	})
	m.launcher = l
}

// launching is the launcher.
type launching struct {
	proc  *proc
	stamp string // its version
	ends  []ended
}

type ended struct {
	pid int
	how string
}

// startChild is the launcher's start of an agent, or of an updater that goes on.
func (m *machine) startChild(file string, _, env []string, agent bool) (int, launcher.Line, error) {
	if !agent {
		return m.startUpdater(file, nil).ID, nil, nil
	}
	return m.startAgent(file, env)
}

// startUpdater starts an updater: with a request, or to go on.
func (m *machine) startUpdater(exe string, r *ledger.Request) *proc {
	return m.spawn("updater", exe, 0, func(p *proc) {
		e := m.engine(p)
		var err error
		if r == nil {
			err = e.Resume(context.Background())
		} else if _, err = ledger.Deposit(m.layout, *r, ledger.HandedOver); err == nil {
			_, err = e.Run(context.Background(), *r, func(line string) {
				m.history.taken = m.history.taken || strings.HasPrefix(line, "taken")
			})
		}
		fmt.Fprintf(m.log, "%s   updater %d ended: %v\n", m.time(), p.ID, err)
	})
}

// logger tells what an updater does.
func (m *machine) logger() *slog.Logger {
	if m.log == io.Discard {
		return nil
	}
	return slog.New(slog.NewTextHandler(m.log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			a.Value = slog.StringValue(m.time())
		}
		return a
	}}))
}

// program is the content of a version's program.
func program(version string) []byte {
	return []byte("program ssm-setup-version=" + version + "\x00 and so on")
}

func versionIn(file string) string {
	content, err := disk.ReadFile(file)
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(content), "version=")
	version, _, ok := strings.Cut(rest, "\x00")
	if !ok {
		return ""
	}
	return version
}

func orFloor(t pointer.Target, floor string) string {
	if t.IsFloor() || t.IsZero() {
		return floor
	}
	return t.Version
}

func put(path string, content []byte) {
	must(disk.MkdirAll(filepath.Dir(path), 0o755))
	must(disk.WriteFile(path, content, 0o755))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
