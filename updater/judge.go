package updater

import (
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// trial is the rules of the watch, apart from all doing: it is shown what is seen, and says what follows.
type trial struct {
	to       pointer.Target
	version  string // of the target
	sequence uint64
	watch    time.Duration
	trip     bool // a round trip to the service is part of health: the host is registered

	began    time.Time
	process  int       // the agent under trial
	started  time.Time // its own start, as it says
	since    time.Time // since when its beats are unbroken
	beats    uint64
	last     time.Time // when a beat was last seen; the start of the watch before the first
	steadyAt time.Time // when it last was steady; the start of the watch before that
	round    bool      // this process had a round trip
	hash     bool      // and said which program it is
	reached  time.Time // since when the updater's own probe reaches the service; zero: it does not, or was not asked
	launcher int       // id of the launcher seen last
	without  time.Time // since when no launcher was seen
	asked    time.Time // when an agent of an older sequence was last asked to leave
	sent     int       // how often
}

// look is what is seen at one moment.
type look struct {
	now      time.Time
	pulse    installer.Pulse
	legible  bool // the pulse file could be read, and is of this boot
	launcher int  // id; 0 with running: one in another process namespace
	running  bool // a launcher runs
	agent    int  // id of the process that holds the agent lock
	untried  bool // the version under trial has all its tokens: the launcher did not start it yet
}

// verdict is what follows from a look.
type verdict int

const (
	waitOn   verdict = iota
	sound            // confirm
	unsound          // undo
	again            // a process of an older sequence is still there: send it away
	deserted         // no launcher: leave everything to the next start
)

// Limits of the watch follow from its length, 30 s by default.

// silence is how long no beat may be missing: two thirds of the watch, at least two beats, at least 3 s (a busy machine may
// take that long to start anything).
func silence(watch time.Duration) time.Duration {
	return max(watch*2/3, 2*installer.BeatPeriod(watch), 3*time.Second)
}

// deadline is how long it may take in all while the service can be reached.
func deadline(watch time.Duration) time.Duration { return 4 * watch }

// grace is how long a launcher may be away (its own restart) before it counts as stopped, and how long a new one may take to
// send away an agent that lost the old one.
const grace = 6 * time.Second

func newTrial(w *work, now time.Time) *trial {
	return &trial{to: w.u.To, version: w.u.ToVersion.String(), sequence: w.u.Sequence, watch: w.Settings.Watch, trip: w.u.Registered,
		began: now, last: now, steadyAt: now, asked: now}
}

// see judges one look. The reason is for people, of an unsound verdict.
func (t *trial) see(l look) (verdict, string) {
	if v := t.seeLauncher(l); v != waitOn {
		return v, ""
	}
	if l.legible {
		switch p := l.pulse; {
		case p.Sequence == t.sequence && !names(p, t.to, t.version):
			return unsound, fmt.Sprintf("the launcher gave it up and runs %s instead", p.Version)
		case p.Sequence == t.sequence:
			t.beat(l)
		case p.Sequence < t.sequence && t.lingers(l):
			return again, ""
		}
	}
	if t.steady(l.now) {
		t.steadyAt = l.now
	}
	if l.untried { // the launcher is slow; nobody can be silent before he is there
		t.last = l.now
	}
	if quiet := l.now.Sub(t.last); l.running && quiet >= silence(t.watch) {
		return unsound, fmt.Sprintf("no sign of life for %s", round(quiet))
	}
	if t.steady(l.now) && (t.round || !t.trip) && (t.hash || t.to.IsFloor()) {
		return sound, ""
	}
	if t.trip && !t.round && !t.reached.IsZero() && l.now.Sub(t.reached) >= deadline(t.watch) {
		return unsound, fmt.Sprintf("it does not reach the service, which the updater reached all the time for %s%s",
			round(l.now.Sub(t.reached)), lastFault(l.pulse))
	}
	if l.now.Sub(t.steadyAt) >= deadline(t.watch) {
		return unsound, fmt.Sprintf("it does not stay alive for %s on end", round(t.watch))
	}
	return waitOn, ""
}

// seeLauncher gives a launcher that is away some time to come back; a new one starts the clock of silence anew.
func (t *trial) seeLauncher(l look) verdict {
	if !l.running {
		if t.without.IsZero() {
			t.without = l.now
		}
		if t.launcher == 0 || l.now.Sub(t.without) >= grace {
			return deserted
		}
		t.last = l.now
		return waitOn
	}
	id := max(l.launcher, 1)
	if t.launcher != 0 && (t.launcher != id || !t.without.IsZero()) {
		t.last, t.steadyAt = l.now.Add(grace), l.now
	}
	t.launcher, t.without = id, time.Time{}
	return waitOn
}

// revived gives a launcher that the updater itself started the time to come.
func (t *trial) revived(now time.Time) { t.launcher, t.without, t.last = max(t.launcher, 1), now, now }

// beat takes note of a pulse of the version under trial.
func (t *trial) beat(l look) {
	p := l.pulse
	switch {
	case p.PID != t.process || !p.Started.Equal(t.started):
		t.process, t.started, t.since, t.round, t.hash = p.PID, p.Started, l.now, false, false
	case p.Beats == t.beats:
		t.note(p)
		return
	case l.now.Sub(t.last) >= silence(t.watch):
		t.since = l.now
	}
	t.beats, t.last = p.Beats, l.now
	t.note(p)
}

func (t *trial) note(p installer.Pulse) {
	t.round = t.round || p.LastRoundTrip.After(p.Started)
	t.hash = t.hash || p.Hash != "" // names() compared it
}

// How often, and how soon again, an agent of an older sequence is asked to leave: one that was just starting did not hear it.
const (
	mostAsked = 5
	askAgain  = 2 * time.Second
)

// lingers reports whether a process of an older sequence has the agent lock.
func (l look) lingers(sequence uint64) bool {
	return l.legible && l.agent != 0 && l.agent == l.pulse.PID && l.pulse.Sequence < sequence
}

// lingers reports whether a process of an older sequence still has the agent lock and is to be sent away again. While it stays,
// nothing else can beat.
func (t *trial) lingers(l look) bool {
	if !l.lingers(t.sequence) || t.sent >= mostAsked {
		return false
	}
	t.last = l.now
	if l.now.Sub(t.asked) < askAgain {
		return false
	}
	t.asked, t.sent = l.now, t.sent+1
	return true
}

// steady reports whether one process beat without a break for the whole watch.
func (t *trial) steady(now time.Time) bool {
	return !t.since.IsZero() && now.Sub(t.since) >= t.watch && now.Sub(t.last) < silence(t.watch)
}

// probed takes note of the updater's own attempt to reach the service.
func (t *trial) probed(now time.Time, err error) {
	switch {
	case err != nil:
		t.reached = time.Time{}
	case t.reached.IsZero():
		t.reached = now
	}
}

// deaf reports whether all is well but the service, which the updater cannot reach either.
func (t *trial) deaf(now time.Time) bool {
	return t.trip && !t.round && t.reached.IsZero() && t.steady(now)
}

// lastFault is what the agent said of itself last, in brackets, or nothing.
func lastFault(p installer.Pulse) string {
	if p.LastFault == "" {
		return ""
	}
	return " (" + p.LastFault + ")"
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}
