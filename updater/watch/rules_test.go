package watch_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/updater/watch"
)

// seen is what a probation of 9.2.0.0 under sequence 5 is shown, second by second.
type seen struct {
	second   int
	pulse    installer.Pulse
	noPulse  bool
	launcher int // 0: none
	agent    int
	probe    string // ok, fail
	death    string // how a process of the version ended
	nth      int    // process that this was
	lanes    bool   // the version before had answers on a and b
}

// outside is how an end from outside reads on this system.
func outside() string {
	if runtime.GOOS == "windows" {
		return "exit code 1"
	}
	return "signal 9"
}

func TestTheRulesOfAProbation(t *testing.T) {
	began := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	target := pointer.Target{Version: "9.2.0.0", Hash: "aa"}
	pulse := func(pid, beats int, trip bool, s int) installer.Pulse {
		p := installer.Pulse{
			PID:      pid,
			Started:  began.Add(time.Duration(pid)),
			Version:  "9.2.0.0",
			Hash:     "aa",
			Sequence: 5,
			Beats:    uint64(beats),
			At:       at(s),
		}
		if trip {
			p.LastRoundTrip = at(s)
		}
		return p
	}
	steady := func(from, to int, trip bool) (list []seen) {
		for s := from; s <= to; s += 5 {
			list = append(list, seen{second: s, pulse: pulse(10, s+1, trip, s), launcher: 1})
		}
		return list
	}
	change := func(list []seen, f func(*seen)) []seen {
		for i := range list {
			f(&list[i])
		}
		return list
	}
	probes := func(s *seen) { s.probe = "ok" }
	killed := func(n int) func(*seen) { // the process after the nth death
		return func(s *seen) {
			s.pulse.PID, s.pulse.Started, s.death, s.nth = 20+n, began.Add(time.Duration(n)*time.Millisecond), outside(), n
		}
	}
	lanes := func(names ...string) func(*seen) {
		return func(s *seen) {
			s.lanes = true
			s.pulse.LastPing, s.pulse.LastRoundTrip = s.pulse.LastRoundTrip, at(s.second)
			s.pulse.Lanes = map[string]installer.Lane{}
			for _, n := range names {
				name := strings.TrimLeft(n, "!?")
				switch n[0] {
				case '!':
					s.pulse.Lanes[name] = installer.Lane{Denied: true}
				case '?':
					s.pulse.Lanes[name] = installer.Lane{}
				default:
					s.pulse.Lanes[name] = installer.Lane{Answered: at(s.second + 1)}
				}
			}
		}
	}
	other := pulse(11, 1, false, 3)
	other.Version, other.Hash = "9.1.0.0", "bb"
	forged := pulse(11, 1, false, 3)
	forged.Hash = "cc"
	old := other
	old.Sequence = 4
	for name, c := range map[string]struct {
		looks []seen
		want  watch.Verdict
		last  int // second of the verdict
	}{
		"sound after the watch": {steady(0, 40, true), watch.Confirm, 30},
		"another version":       {[]seen{{second: 3, pulse: other, launcher: 1}}, watch.Undo, 3},
		"another program":       {[]seen{{second: 3, pulse: forged, launcher: 1}}, watch.Undo, 3},
		"silence from the start": {
			[]seen{{second: 0, noPulse: true, launcher: 1}, {second: 19, noPulse: true, launcher: 1}, {second: 20, noPulse: true, launcher: 1}},
			watch.Undo, 20,
		},
		"silence later": {
			append(steady(0, 10, true), seen{second: 30, pulse: pulse(10, 11, true, 10), launcher: 1}), watch.Undo, 30,
		},
		"dead before its end is noted": {
			append(steady(0, 20, true), seen{second: 25, pulse: pulse(10, 21, true, 20), launcher: 1},
				seen{second: 30, pulse: pulse(10, 21, true, 20), launcher: 1}, seen{second: 39, pulse: pulse(10, 21, true, 20), launcher: 1},
				seen{second: 40, pulse: pulse(10, 21, true, 20), launcher: 1}), watch.Undo, 40,
		},
		"no launcher at all":   {[]seen{{second: 0, noPulse: true}}, watch.Deserted, 0},
		"a launcher that goes": {append(steady(0, 10, true), seen{second: 12}, seen{second: 17}, seen{second: 18}), watch.Deserted, 18},
		"a launcher that comes back": {
			append(append(steady(0, 10, true), seen{second: 12}), change(steady(15, 40, true), func(s *seen) { s.launcher = 2 })...),
			watch.Confirm, 30,
		},
		"a new process starts anew": {
			append(steady(0, 20, true), change(steady(25, 70, true), func(s *seen) { s.pulse.PID, s.pulse.Started = 12, at(21) })...),
			watch.Confirm, 55,
		},
		"mute while others are heard": {change(steady(0, 200, false), func(s *seen) { s.probe = "ok" }), watch.Undo, 45},
		"mute, and so is the service": {change(steady(0, 500, false), func(s *seen) { s.probe = "fail" }), watch.GoOn, 500},
		"the service comes back": {
			append(change(steady(0, 200, false), func(s *seen) { s.probe = "fail" }),
				change(steady(205, 205, true), func(s *seen) { s.probe = "ok" })...),
			watch.Confirm, 205,
		},
		"back, but it stays mute": {
			append(change(steady(0, 200, false), func(s *seen) { s.probe = "fail" }),
				change(steady(205, 400, false), func(s *seen) { s.probe = "ok" })...),
			watch.Undo, 250,
		},
		"its own doing":        {append(steady(0, 10, true), seen{second: 11, launcher: 1, death: "exit code 3"}), watch.Undo, 11},
		"it cannot be started": {[]seen{{second: 1, launcher: 1, noPulse: true, death: "cannot be started: x"}}, watch.Undo, 1},
		"once from outside":    {append(steady(0, 10, true), change(steady(12, 47, true), killed(1))...), watch.Confirm, 42},
		"twice from outside": {append(append(steady(0, 10, true), change(steady(12, 22, true), killed(1))...),
			seen{second: 24, launcher: 1, death: outside(), nth: 2}), watch.Undo, 24},
		"mute after a kill": {append(change(steady(0, 40, false), probes),
			change(change(steady(42, 100, false), killed(1)), probes)...), watch.Undo, 87},
		"a lane answers":                        {change(steady(0, 40, true), lanes("a", "b")), watch.Confirm, 30},
		"a lane stays silent":                   {change(change(steady(0, 100, true), lanes("a", "?b")), probes), watch.Undo, 45},
		"the control channel does not come up":  {change(change(steady(0, 100, true), lanes("?a", "b")), probes), watch.Undo, 45},
		"a lane that the version does not know": {change(steady(0, 40, true), lanes("a")), watch.Confirm, 30},
		"no lane, known or not":                 {change(change(steady(0, 100, true), lanes("?c")), probes), watch.Undo, 45},
		"a lane is denied":                      {change(steady(0, 40, true), lanes("a", "!b")), watch.Confirm, 30},
		"the lanes' own outage": {change(change(steady(0, 100, true), lanes("a", "?b")),
			func(s *seen) { s.probe = "fail" }), watch.GoOn, 100},
		"no ping, only lanes": {change(change(steady(0, 100, false), lanes("a", "b")), probes), watch.Undo, 45},
		"an older one lingers": {
			[]seen{{second: 1, pulse: old, launcher: 1, agent: 11}, {second: 2, pulse: old, launcher: 1, agent: 11}}, watch.StopAgent,
			2,
		},
		"an older pulse is no process": {
			[]seen{{second: 1, pulse: old, launcher: 1, agent: 12}, {second: 5, pulse: old, launcher: 1}}, watch.GoOn, 5,
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := watch.Baseline{Registered: true}
			if c.looks[0].lanes {
				before.Lanes = []string{"a", "b"}
			}
			tr := watch.NewProbation(watch.Version{Number: "9.2.0.0", Target: target, Sequence: 5}, 30*time.Second, before, true, began)
			var got watch.Verdict
			last := 0
			for _, s := range c.looks {
				switch s.probe {
				case "ok":
					tr.Probed(at(s.second), nil)
				case "fail":
					tr.Probed(at(s.second), errors.New("no service"))
				}
				last = s.second
				death := launcher.Death{}
				if s.death != "" {
					death = launcher.Death{Version: "9.2.0.0", Sequence: 5, PID: s.nth, How: s.death}
				}
				got, _ = tr.See(watch.Look{Death: death, Now: at(s.second), Pulse: s.pulse, Legible: !s.noPulse && s.pulse.PID != 0,
					Launcher: s.launcher,
					Running:  s.launcher != 0, Agent: s.agent})
				if got != watch.GoOn {
					break
				}
			}
			if got != c.want || last != c.last {
				t.Errorf("verdict %d after %d s, want %d after %d s", got, last, c.want, c.last)
			}
		})
	}
}
