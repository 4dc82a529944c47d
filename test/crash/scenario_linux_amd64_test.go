package crash_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// A scenario is an update of one kind: where the host begins, what is asked for, and what runs when nothing goes wrong.
type scenario struct {
	name        string
	state       string // kept state that the host begins in
	from, to    string // versions: that it begins with, and that is asked for
	ends        string // version that runs at the end where no fault happens
	commandLine bool   // asked for by ssm-setup rollback, not by a document
}

var scenarios = []scenario{
	{name: "good", state: "package", from: packageVersion, to: soundVersion, ends: soundVersion},
	{name: "broken", state: "package", from: packageVersion, to: brokenVersion, ends: packageVersion},
	{name: "rollback", state: "updated", from: soundVersion, to: packageVersion, ends: packageVersion, commandLine: true},
}

// A run is one update with its faults.
type run struct {
	scenario scenario
	faults   []*fault
}

func (r run) String() string {
	var list []string
	for _, f := range r.faults {
		list = append(list, f.String())
	}
	return r.scenario.name + ": " + strings.Join(list, " + ")
}

// An answer is what the one who asked for the update was told.
type answer struct {
	success bool
	text    string
}

// errNotFired says that a fault found no call to happen at.
var errNotFired = errors.New("the fault never happened, so nothing is shown")

// play brings a host through a scenario with faults and checks what must hold.
func (m *machine) play(r run) (err error) {
	s := r.scenario
	if err := m.begin(s.state, s.from); err != nil {
		return fmt.Errorf("before the update: %w", err)
	}
	defer func() {
		if err != nil && !errors.Is(err, errNotFired) {
			err = fmt.Errorf("%w\n%s", err, m.evidence())
		}
		m.end()
	}()
	before := m.names()
	load := m.newLoad()
	load.send()
	m.tracer.arm(r.faults)
	m.asked = time.Now()
	asked := m.ask(s)
	load.send()
	got, err := m.settle(asked, load)
	if err != nil {
		return err
	}
	fired := len(r.faults) == 0 || slices.ContainsFunc(r.faults, func(f *fault) bool { return f.fired }) // of a pair, one
	m.tracer.disarm()
	if !fired {
		return fmt.Errorf("%w; the answer is %s", errNotFired, got.text)
	}
	return m.judge(r, got, load, before)
}

// ask asks for the update; the channel gets the answer.
func (m *machine) ask(s scenario) <-chan answer {
	got := make(chan answer, 1)
	if s.commandLine {
		out, err := os.Create(filepath.Join(m.dir, "said"))
		if err != nil {
			got <- answer{text: err.Error()}
			return got
		}
		ended, err := m.tracer.start(m.env, out, m.tool, "rollback", "--root", m.Root, "--yes")
		if err != nil {
			got <- answer{text: err.Error()}
			return got
		}
		go func() {
			ws := <-ended
			text, _ := os.ReadFile(out.Name())
			out.Close()
			got <- answer{ws.ExitStatus() == 0, fmt.Sprintf("exit code %d: %s", ws.ExitStatus(), bytes.TrimSpace(text))}
		}()
		return got
	}
	id, err := m.region.SendCommand("AWS-UpdateSSMAgent", m.node, map[string][]string{"version": {s.to}})
	if err != nil {
		got <- answer{text: err.Error()}
		return got
	}
	go func() {
		inv, err := m.await(id)
		got <- answer{inv.Status == "Success", inv.Status + ": " + inv.StandardOutput + inv.StandardError + errorText(err)}
	}()
	return got
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// How long a host may take to come to rest by itself before it is started anew, and until an error that stays is mended.
const (
	restWithin  = 12 * time.Second
	firesWithin = 10 * time.Second // after the answer: what a new agent does beside its work comes later
	idleWithin  = 3 * time.Second  // without an updater, which goes on a minute later only
	mendAfter   = 5 * time.Second
)

// settle waits for the answer and for rest. Meanwhile it is the machine: it mends the disk after a while, and starts a launcher that is
// gone for good, as a service manager or an administrator would.
func (m *machine) settle(asked <-chan answer, load *load) (*answer, error) {
	asking, began, idle, gone := time.Now(), time.Now(), time.Now(), time.Time{}
	answered := asking
	var got *answer
	for {
		select {
		case a := <-asked:
			got = &a
		case <-time.After(20 * time.Millisecond):
		}
		now := time.Since(began)
		if fired := m.tracer.firedAt(); fired.IsZero() {
			idle = time.Now()
		} else if began = fired; time.Since(fired) > mendAfter {
			m.tracer.disarm()
		}
		if load.count < 4 && time.Since(asking) > time.Duration(load.count-1)*600*time.Millisecond {
			load.send()
		}
		if slices.ContainsFunc(m.tracer.running(), func(p process) bool { return p.program != asker }) {
			gone = time.Time{}
		} else if gone.IsZero() {
			gone = time.Now()
		} else if time.Since(gone) > 300*time.Millisecond {
			gone = time.Time{}
			if err := m.launch(); err != nil {
				return nil, err
			}
		}
		if got == nil {
			answered = time.Now()
		}
		waits := len(m.tracer.faults) > 0 && m.tracer.firedAt().IsZero() && time.Since(answered) < firesWithin
		if got != nil && m.closed(got) == nil && load.count >= 4 && !waits {
			return got, nil
		}
		if m.updating() {
			idle = time.Now()
		}
		if load.count >= 4 && (now > restWithin && !m.tracer.firedAt().IsZero() || now > patience || time.Since(idle) > idleWithin) {
			break
		}
	}
	if err := m.again(); err != nil {
		return nil, fmt.Errorf("after everything was killed: %w", err)
	}
	if got == nil {
		select {
		case a := <-asked:
			got = &a
		case <-time.After(patience):
			return nil, errors.New("the one who asked has no answer")
		}
	}
	return got, nil
}

// again kills launcher, agents and updaters, and starts the host anew. What runs a command lives on: no agent may start it a second time
// where it is killed, so that would say nothing about the update.
func (m *machine) again() error {
	m.tracer.disarm()
	_ = os.Remove(m.PidFile())
	if err := m.until(stopWithin, func() bool {
		m.tracer.kill(func(p process) bool { return p.program != "" && p.program != asker })
		return !slices.ContainsFunc(m.tracer.running(), func(p process) bool { return p.program != asker })
	}); err != nil {
		return fmt.Errorf("%w; left: %+v", err, m.tracer.running())
	}
	return m.start("")
}

// updating tells whether an updater is at work.
func (m *machine) updating() bool {
	return slices.ContainsFunc(m.tracer.running(), func(p process) bool { return p.program == "updater" })
}

// closed tells what is still open in the record of updates. One that was refused, for no updater took it, is in no record.
func (m *machine) closed(got *answer) error {
	led, err := ledger.Read(m.Layout)
	switch {
	case err != nil:
		return err
	case led.Open != nil:
		return fmt.Errorf("the update is still open at %q", led.Open.Stop)
	case len(led.Owed) > 0:
		return fmt.Errorf("answers are owed: %+v", led.Owed)
	case led.Last == nil && got.success:
		return errors.New("no update is recorded")
	}
	return nil
}

// judge restarts the host and checks everything.
func (m *machine) judge(r run, got *answer, load *load, before map[string]bool) error {
	s := r.scenario
	if err := load.check(r); err != nil {
		return err
	}
	if err := m.stop(); err != nil {
		return fmt.Errorf("the host does not stop: %w; left: %+v", err, m.tracer.running())
	}
	m.age()
	if err := m.start(""); err != nil {
		return fmt.Errorf("after the restart: %w", err)
	}
	var err error
	_ = m.until(patience, func() bool {
		err = m.closed(got)
		return err == nil
	})
	if err != nil {
		return err
	}
	_ = m.until(stopWithin, func() bool { // also one that resumes is gone
		err = m.one(s, got)
		return err == nil
	})
	if err != nil {
		return err
	}
	if len(r.faults) == 0 {
		m.learn()
	} else if err := m.leftovers(before); err != nil {
		return err
	}
	if err := m.stop(); err != nil {
		return fmt.Errorf("the host does not stop: %w; left: %+v", err, m.tracer.running())
	}
	return nil
}

// one checks that one healthy version runs, and that it is the one the answer says.
func (m *machine) one(s scenario, got *answer) error {
	count := map[string]int{}
	for _, p := range m.tracer.running() {
		name, _, _ := strings.Cut(p.program, ".")
		count[name]++
	}
	if count["launcher"] != 1 || count["agent"] != 1 || len(count) != 2 {
		return fmt.Errorf("not one launcher with one agent runs: %v", count)
	}
	p, err := installer.ReadPulse(m.Pulse())
	if err != nil {
		return err
	}
	if time.Since(p.At) > 10*time.Second {
		return fmt.Errorf("the agent does not beat: %+v", p)
	}
	led, err := ledger.Read(m.Layout)
	if err != nil {
		return err
	}
	if p.Version != s.from && p.Version != s.to {
		return fmt.Errorf("%s runs", p.Version)
	}
	if got.success != (p.Version == s.to) {
		return fmt.Errorf("%s runs, but the answer is %s", p.Version, got.text)
	}
	if led.Last != nil && led.Last.Started.After(m.asked) && led.Last.Success != got.success {
		return fmt.Errorf("the record says %+v, and the answer is %s", led.Last, got.text)
	}
	if s.ends == s.from && p.Version != s.from {
		return fmt.Errorf("%s runs, which is broken", p.Version)
	}
	return nil
}

// names are the files of the root, without what differs from run to run.
func (m *machine) names() map[string]bool {
	list := map[string]bool{}
	_ = filepath.WalkDir(m.Root, func(path string, _ fs.DirEntry, _ error) error {
		list[m.tracer.plain(path)] = true
		return nil
	})
	return list
}

// age makes files that a program was killed over old enough to be removed: the restart comes two hours later.
func (m *machine) age() {
	then := time.Now().Add(-2 * time.Hour)
	_ = filepath.WalkDir(m.Data(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasPrefix(d.Name(), ".") {
			_ = os.Chtimes(path, then, then)
		}
		return nil
	})
}

// learn notes which files a run without faults leaves.
func (m *machine) learn() {
	for name := range m.names() {
		m.usual[name] = true
	}
}

// leftWithin is how long the agent may take to tidy up after a restart.
const leftWithin = 6 * time.Second

// leftovers checks that there is no file but those that a run without faults leaves, too, the note of the last death,
// and logs.
func (m *machine) leftovers(before map[string]bool) error {
	var left []string
	err := m.until(leftWithin, func() bool {
		left = nil
		for name := range m.names() {
			if !before[name] && !m.usual[name] && !strings.HasSuffix(name, "/pointer/death") && !strings.HasPrefix(name, "var/log/") {
				left = append(left, name)
			}
		}
		return len(left) == 0
	})
	if err != nil {
		slices.Sort(left)
		return fmt.Errorf("files are left: %s", strings.Join(left, ", "))
	}
	return nil
}

// evidence is what people need to see why a run ended badly.
func (m *machine) evidence() string {
	var b strings.Builder
	if led, err := ledger.Read(m.Layout); err == nil {
		fmt.Fprintf(&b, "record: open %+v\nlast %+v\nowed %+v\n", led.Open, led.Last, led.Owed)
	}
	for _, p := range m.tracer.running() {
		fmt.Fprintf(&b, "runs: %d %s\n", p.pid, p.program)
	}
	for _, name := range []string{m.LaunchLog(), filepath.Join(m.Logs(), "AmazonSSMAgent-update.txt"),
		filepath.Join(m.Logs(), "amazon-ssm-agent.log")} {
		text, _ := os.ReadFile(name)
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		fmt.Fprintf(&b, "-- %s\n%s\n", filepath.Base(name), strings.Join(lines[max(0, len(lines)-40):], "\n"))
	}
	return b.String()
}

// A load is commands that run while the host is updated; each adds its number to a file.
type load struct {
	*machine
	file  string
	ids   []string
	count int
}

func (m *machine) newLoad() *load {
	return &load{machine: m, file: filepath.Join(m.dir, "ran-"+strconv.Itoa(m.number))}
}

func (l *load) send() {
	l.count++
	line := fmt.Sprintf("echo %d >>%s", l.count, l.file)
	id, err := l.region.SendCommand("AWS-RunShellScript", l.node, map[string][]string{"commands": {line}})
	if err != nil {
		id = err.Error()
	}
	l.ids = append(l.ids, id)
}

// check waits until all commands are answered, and counts how often each ran. Where the disk failed the agent, a command may be answered
// Failed, if it did not run.
func (l *load) check(r run) error {
	spoiled := slices.ContainsFunc(r.faults, func(f *fault) bool { return f.errno != 0 && strings.HasPrefix(f.program, "agent") })
	var bad []string
	for i, id := range l.ids {
		inv, err := l.await(id)
		text, _ := os.ReadFile(l.file)
		ran := 0
		for line := range strings.Lines(string(text)) {
			if strings.TrimSpace(line) == strconv.Itoa(i+1) {
				ran++
			}
		}
		if spoiled && ran == 0 && inv.Status == "Failed" {
			continue
		}
		if ran != 1 || inv.Status != "Success" {
			bad = append(bad, fmt.Sprintf("command %d ran %d times and is answered %s %s %s%v %+v", i+1, ran, inv.Status, inv.StandardError,
				inv.Trace, errorText(err), inv.Plugins))
		}
	}
	if len(bad) > 0 {
		return errors.New(strings.Join(bad, "; "))
	}
	return nil
}
