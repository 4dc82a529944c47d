package launcher_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// lives is a system on which agents live as long, and end, as it says; then the service is stopped.
type lives struct {
	now     time.Time
	list    []life
	starts  []string        // versions in the order in which they were started
	waits   []time.Duration // from an end to the next start
	pid     int
	born    time.Time
	died    time.Time
	running bool
	idle    bool   // an agent was started that no life is left for
	look    func() // before the next look
}

// life is one agent's: ended after so long. During it confirm, where it is set, confirms what is on trial.
type life struct {
	after time.Duration
	how   string
	stop  bool // the service is asked to stop in the same moment
}

func (p *lives) over() bool { return p.running && p.now.Sub(p.born) >= p.list[0].after }

func (p *lives) system() launcher.System {
	return launcher.System{
		Now: func() time.Time { return p.now },
		Wait: func(d time.Duration, _ <-chan os.Signal) bool {
			if p.look != nil {
				p.look()
			}
			if !p.running && len(p.list) > 0 && p.list[0].stop {
				return true
			}
			if p.idle {
				p.now = p.now.Add(d)
				return true
			}
			for end := p.now.Add(d); p.now.Before(end) && !p.over(); {
				p.now = p.now.Add(min(100*time.Millisecond, end.Sub(p.now)))
			}
			return false
		},
		Start: func(file string, _, _ []string, agent bool) (int, launcher.Line, error) {
			if !agent {
				return 1, nil, nil
			}
			version := filepath.Base(filepath.Dir(file))
			if filepath.Base(filepath.Dir(filepath.Dir(file))) != "store" {
				version = pointer.Floor
			}
			if !p.died.IsZero() {
				p.waits = append(p.waits, p.now.Sub(p.died))
			}
			p.starts = append(p.starts, version)
			p.pid++
			p.born, p.running, p.idle = p.now, len(p.list) > 0, len(p.list) == 0
			return 1000 + p.pid, beating{}, nil
		},
		Next: func() (int, string, bool) {
			if !p.over() {
				return 0, "", false
			}
			how := p.list[0].how
			p.running, p.died = false, p.now
			if !p.list[0].stop {
				p.list = p.list[1:]
			}
			return 1000 + p.pid, how, true
		},
		Kill: func(int) error { return nil },
	}
}

// beating is the line to an agent that beats whenever it is asked.
type beating struct{}

func (beating) Heard() bool { return true }
func (beating) AskToLeave() {}
func (beating) Close()      {}

// outside is how an end from outside reads on this system.
func outside() string {
	if filepath.Separator == '\\' {
		return "exit code 1"
	}
	return "signal 9"
}

func TestHowOftenAVersionMayDieDependsOnHowAndWhen(t *testing.T) {
	const v = "9.2.0.0"
	own, other := life{after: 20 * time.Second, how: "exit code 3"}, life{after: 20 * time.Second, how: outside()}
	for name, c := range map[string]struct {
		confirmed bool // in its first life, after 10 s
		settled   bool // it was never on trial under this launcher
		lives     []life
		want      []string
	}{
		"on trial, its own doing":      {lives: []life{own}, want: []string{v, pointer.Floor}},
		"on trial, an exit code 0":     {lives: []life{{after: time.Second, how: "exit code 0"}}, want: []string{v, pointer.Floor}},
		"on trial, from outside":       {lives: []life{other}, want: []string{v, v}},
		"on trial, twice from outside": {lives: []life{other, other}, want: []string{v, v, pointer.Floor}},
		"on trial, both":               {lives: []life{other, own}, want: []string{v, v, pointer.Floor}},
		"just confirmed":               {confirmed: true, lives: []life{own, own}, want: []string{v, v, pointer.Floor}},
		"just confirmed, from outside": {confirmed: true, lives: []life{other, other}, want: []string{v, v, pointer.Floor}},
		"confirmed half an hour ago": {confirmed: true,
			lives: []life{{after: 31 * time.Minute, how: "exit code 3"}, own, own},
			want:  []string{v, v, v, pointer.Floor}},
		"confirmed before this launcher": {settled: true, lives: []life{own, own, own}, want: []string{v, v, v, pointer.Floor}},
		"stopped together with the service": {lives: []life{{after: 20 * time.Second, how: "exit code 0", stop: true}},
			want: []string{v}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachineAlone(t)
			s := m.choose(m.have(v, "live"), !c.settled)
			p := &lives{now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), list: c.lives}
			if c.confirmed {
				p.look = func() {
					if p.running && p.now.Sub(p.born) > 10*time.Second {
						_, err := m.store().Confirm(s.Sequence)
						m.ok(err)
						p.look = nil
					}
				}
			}
			m.ok(launcher.Service{Paths: m.Paths, Stamp: floorVersion, Timing: launcher.Design(), Log: io.Discard, System: p.system()}.Run())
			if !slices.Equal(p.starts, c.want) {
				t.Errorf("started %q, want %q", p.starts, c.want)
			}
			for _, w := range p.waits {
				if w > 2*time.Second {
					t.Errorf("waited %s before another start", w)
				}
			}
			if _, err := launcher.ReadDeath(m.Paths); name == "stopped together with the service" && err == nil {
				t.Error("an end that was asked for is noted as a death")
			}
		})
	}
}

// The machine's disk is in the way of a start: the note says so, and whose fault it is.
func TestATokenThatCannotBeTakenIsTheMachinesFault(t *testing.T) {
	m := newMachineAlone(t)
	s := m.choose(m.have("9.2.0.0", "live"), true)
	for _, token := range pointer.TokenNames() { // a folder that is not empty cannot be unlinked
		path := filepath.Join(m.Probation(s.Sequence), token)
		m.ok(os.Remove(path))
		m.ok(os.MkdirAll(filepath.Join(path, "in the way"), 0o700))
	}
	p := &lives{now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), list: []life{{after: time.Second, how: "exit code 0", stop: true}}}
	var log bytes.Buffer
	m.ok(launcher.Service{Paths: m.Paths, Stamp: floorVersion, Timing: launcher.Design(), Log: &log, System: p.system()}.Run())
	if !slices.Equal(p.starts, []string{pointer.Floor}) {
		t.Fatalf("started %q", p.starts)
	}
	d, err := launcher.ReadDeath(m.Paths)
	m.ok(err)
	if cause, ok := d.HostFault(); !ok || d.Version != "9.2.0.0" || d.Sequence != s.Sequence || !strings.Contains(cause, "probation") {
		t.Errorf("%+v", d)
	}
}

func TestWhichEndsComeFromOutside(t *testing.T) {
	ends := map[string]bool{"exit code 0": false, "exit code 3": false, "exit code 2": false, "killed, no heartbeat": false,
		"cannot be started: signal 9": false, "signal 9x": false, "": false}
	if filepath.Separator == '\\' {
		ends["exit code 1"], ends["exit code 3221225786"], ends["exit code 3221225477"] = true, true, false // Ctrl-C; access violation
	} else {
		for _, n := range []string{"9", "15", "2"} {
			ends["signal "+n] = true
		}
		for _, n := range []string{"11", "6", "7", "4", "8", "31", "5"} {
			ends["signal "+n] = false
		}
	}
	for how, want := range ends {
		if got := (launcher.Death{How: how}).FromOutside(); got != want {
			t.Errorf("%q: from outside %t", how, got)
		}
	}
}

// Another process than the one that was judged has the lock by now: it is not asked.
func TestARequestToLeaveReachesNoOtherProcess(t *testing.T) {
	m := newMachine(t)
	cmd := m.launch()
	pid := m.await("start floor 1", 1)
	m.until("the agent lock", func() bool { got, ok := launcher.AgentRunning(m.Paths); return ok && got == pid })
	for _, other := range []int{0, 1, os.Getpid(), cmd.Process.Pid} {
		m.ok(launcher.StopAgent(t.Context(), m.Paths, other, time.Minute))
	}
	if got, ok := launcher.AgentRunning(m.Paths); !ok || got != pid || m.count("leave floor") != 0 {
		t.Errorf("agent %d, %t", got, ok)
	}
}
