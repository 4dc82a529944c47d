package watch_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/updater/watch"
)

func TestTheRulesOfAVersionThatNeedsNoProbation(t *testing.T) {
	began := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return began.Add(time.Duration(s) * time.Second) }
	// look is what is seen after s seconds: a launcher, and an agent of a version under a sequence with so many beats.
	look := func(s int, version string, sequence, beats uint64) watch.Look {
		return watch.Look{Now: at(s), Launcher: 1, Running: true, Agent: 7, Legible: true,
			Pulse: installer.Pulse{PID: 7, Version: version, Sequence: sequence, Beats: beats, At: at(s)}}
	}
	noAgent := func(s int) watch.Look { return watch.Look{Now: at(s), Launcher: 1, Running: true} }
	stale := look(1, "9.1.0.0", 5, 3)
	stale.Pulse.At = began.Add(-time.Minute)
	fell := noAgent(21)
	fell.Death = launcher.Death{Version: "9.1.0.0", Sequence: 5, How: "exit code 3"}
	for name, c := range map[string]struct {
		looks  []watch.Look
		want   watch.Verdict
		reason string
	}{
		"one beat is not enough":           {[]watch.Look{look(1, "9.1.0.0", 5, 3), look(2, "9.1.0.0", 5, 3)}, watch.GoOn, ""},
		"two beats are life":               {[]watch.Look{look(1, "9.1.0.0", 5, 3), look(2, "9.1.0.0", 5, 4)}, watch.Confirm, ""},
		"a pulse of before does not count": {[]watch.Look{stale, look(2, "9.1.0.0", 5, 4)}, watch.GoOn, ""},
		"an older agent is stopped":        {[]watch.Look{look(1, "9.2.0.0", 4, 9), look(2, "9.2.0.0", 4, 9)}, watch.StopAgent, ""},
		"another version is no life": {
			[]watch.Look{look(1, "9.2.0.0", 5, 3), look(20, "9.2.0.0", 5, 4)}, watch.Undo, "no heartbeat of 9.1.0.0 for 20s",
		},
		"a launcher that starts nothing yet":  {[]watch.Look{noAgent(1), noAgent(119)}, watch.GoOn, ""},
		"and never will":                      {[]watch.Look{noAgent(119), noAgent(140)}, watch.Undo, "no heartbeat of 9.1.0.0 for 21s"},
		"a death ends the waiting":            {[]watch.Look{fell}, watch.Undo, "no heartbeat of 9.1.0.0 for 21s"},
		"a launcher that is away for a while": {[]watch.Look{{Now: at(1)}, {Now: at(5)}}, watch.GoOn, ""},
		"and longer":                          {[]watch.Look{{Now: at(1)}, {Now: at(6)}}, watch.Deserted, ""},
	} {
		t.Run(name, func(t *testing.T) {
			rules := watch.NewLiveness(watch.Version{Number: "9.1.0.0", Sequence: 5}, 30*time.Second, began, began)
			var got watch.Verdict
			var reason string
			for _, l := range c.looks {
				if got, reason = rules.See(l); got != watch.GoOn {
					break
				}
			}
			if got != c.want || !strings.Contains(reason, c.reason) {
				t.Errorf("verdict %d, %q", got, reason)
			}
		})
	}
}
