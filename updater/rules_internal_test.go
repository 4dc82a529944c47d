package updater

import (
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

func TestWhenThePointerFollowsWhatRuns(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	two := pointer.Target{Version: "9.2.0.0", Hash: "aa"}
	one := pointer.Target{Version: "9.1.5.0", Hash: "bb"}
	state := pointer.State{Sequence: 7, Active: two, Previous: one, Floor: "9.1.0.0"}
	runs := func(version, hash string, sequence uint64, age time.Duration) installer.Pulse {
		return installer.Pulse{PID: 1, Version: version, Hash: hash, Sequence: sequence, Started: now.Add(-age)}
	}
	onFloor := state
	onFloor.Active = pointer.OnFloor()
	probation := state
	probation.Probation = true
	for name, c := range map[string]struct {
		state pointer.State
		floor string
		pulse installer.Pulse
		want  alignment
		fell  bool
	}{
		"all is well":     {state, "9.1.0.0", runs("9.2.0.0", "aa", 7, time.Hour), alignment{}, false},
		"confirmed since": {state, "9.1.0.0", runs("9.2.0.0", "aa", 6, time.Hour), alignment{}, false},
		"no pointer": {
			pointer.State{Active: pointer.OnFloor()}, "9.1.0.0", runs("9.1.0.0", "", 0, time.Hour), alignment{}, false,
		},
		"on probation":          {probation, "9.3.0.0", runs("9.3.0.0", "", 7, time.Hour), alignment{}, false},
		"new floor, not proved": {state, "9.3.0.0", runs("9.3.0.0", "", 7, 10*time.Second), alignment{}, false},
		"new floor, proved": {
			state, "9.3.0.0", runs("9.3.0.0", "", 7, 2*time.Minute), alignment{align: true, active: pointer.OnFloor()}, false,
		},
		"new floor, still the old one": {state, "9.3.0.0", runs("9.2.0.0", "aa", 7, time.Hour), alignment{}, false},
		"new floor below":              {state, "9.1.9.0", runs("9.2.0.0", "aa", 7, time.Hour), alignment{align: true, active: two}, false},
		"floor upgraded under itself": {
			onFloor, "9.1.9.0", runs("9.1.9.0", "", 7, time.Second), alignment{align: true, active: pointer.OnFloor()}, false,
		},
		"fell back, young": {state, "9.1.0.0", runs("9.1.5.0", "bb", 7, 29*time.Minute), alignment{}, false},
		"fell back, old": {
			state, "9.1.0.0", runs("9.1.5.0", "bb", 7, 31*time.Minute), alignment{align: true, active: one, aside: two, block: two},
			false,
		},
		"fell back to the floor": {
			state, "9.1.0.0", runs("9.1.0.0", "xx", 7, 31*time.Minute),
			alignment{align: true, active: pointer.OnFloor(), aside: two, block: two}, false,
		},
		"of an older pointer":   {state, "9.1.0.0", runs("9.1.5.0", "bb", 6, time.Second), alignment{leave: true}, false},
		"new floor fell, young": {state, "9.3.0.0", runs("9.2.0.0", "aa", 7, 29*time.Minute), alignment{}, true},
		"new floor fell, old": {
			state, "9.3.0.0", runs("9.2.0.0", "aa", 7, 31*time.Minute),
			alignment{align: true, active: two, aside: pointer.OnFloor(), block: pointer.OnFloor()}, true,
		},
		"new floor fell, of an old one": {state, "9.3.0.0", runs("9.2.0.0", "aa", 6, time.Hour), alignment{}, true},
		"floor under itself fell": {
			onFloor, "9.1.9.0", runs("9.1.5.0", "bb", 7, 31*time.Minute),
			alignment{align: true, active: one, aside: pointer.OnFloor(), block: pointer.OnFloor()}, true,
		},
		"floor under itself fell, young": {onFloor, "9.1.9.0", runs("9.1.5.0", "bb", 7, time.Minute), alignment{}, true},
		"floor below, once fell":         {state, "9.1.9.0", runs("9.2.0.0", "aa", 7, time.Hour), alignment{align: true, active: two}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := alignmentOf(c.state, c.floor, c.pulse, true, c.fell, now)
			got.why = ""
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestStatusesAreTheOriginals(t *testing.T) {
	for _, c := range []struct{ want, got string }{
		{"UpdateSucceeded-3.3.987.0",
			status(baseSucceeded, false, "", "", "3.3.987.0")},
		{"UpdateFailed_ErrorAttempToDowngrade-3.2.0.0-NoAlarm",
			status(baseFailed, false, "", "ErrorAttempToDowngrade", "3.2.0.0")},
		{"UpdateFailed_VerificationRollback_ErrorUpdateFailRollbackSuccess-9.2.0.0",
			status(baseFailed, false, rollbackMark, codeRolledBack, "9.2.0.0")},
		{"UpdateInitialized_SelfUpdate-latest",
			status(baseInitialized, true, "", "", "latest")},
		{"UpdateSucceeded_SelfUpdate_InactiveAgentVersion-9.2.0.0",
			status(baseSucceeded, true, "", "InactiveAgentVersion", "9.2.0.0")},
		{"RollingBack_VerificationRollback_ErrorUpdateFailRollbackSuccess-3.3.987.0",
			status(baseRollback, false, rollbackMark, codeRolledBack, "3.3.987.0")},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

func TestAFailedVersionIsBlockedLongerEachTime(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	var l ledger.Ledger
	v := manifests.MustVersion("9.2.0.0")
	days := []int{1, 2, 4, 8, 16, 30, 30}
	for i, d := range days {
		l.Block(v, "it crashed", false, now)
		if h := l.Skip[0]; h.Attempts != i+1 || h.Until != now.Add(time.Duration(d)*24*time.Hour) || len(l.Skip) != 1 {
			t.Errorf("attempt %d: %+v", i+1, l.Skip)
		}
	}
	if l.SkipFor(ledger.Request{}, now)[v] == "" || l.SkipFor(ledger.Request{}, now.Add(31*24*time.Hour))[v] != "" {
		t.Error("it is held for thirty days, no longer")
	}
	l.Unblock(v)
	l.Block(v, "rolled back from it", true, now)
	if l.SkipFor(ledger.Request{Why: ledger.ByCommandLine}, now)[v] != "" || l.SkipFor(ledger.Request{Why: ledger.ByTimer}, now)[v] == "" {
		t.Error("scheduled updates do not skip a version that was rolled back from")
	}
}

func TestOnlyAnUpdateThatHasNotSwitchedIsEnded(t *testing.T) {
	for _, s := range stops() {
		before := s.name != ledger.StopSwitch && s.name != ledger.StopWatch && s.name != ledger.StopFinish
		if got := (&ledger.Update{Stop: s.name}).Pending(); got != before {
			t.Errorf("at %s: %v", s.name, got)
		}
		if (&ledger.Update{Stop: s.name, Sequence: 7}).Pending() || (&ledger.Update{Stop: s.name, Undoing: true}).Pending() {
			t.Errorf("at %s, with tokens made or undoing", s.name)
		}
	}
	if (*ledger.Update)(nil).Pending() {
		t.Error("none is open")
	}
}
