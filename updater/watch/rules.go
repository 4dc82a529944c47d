package watch

import (
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
)

// Verdict is what follows from a look.
type Verdict int

// The verdicts.
const (
	GoOn      Verdict = iota // look again
	Confirm                  // the version lives: it stays
	Undo                     // it does not: back to the one before
	StopAgent                // an agent of an older pointer is still there: ask it to leave, look again
	Deserted                 // no launcher runs: start one where that is the updater's to do, else leave everything to the next start
)

// Probation is the rules for a version on probation: one process of this sequence and program beats without a break for the whole watch
// and reaches the service, where the updater does.
type Probation struct {
	life
	version    Version
	watch      time.Duration
	registered bool // a round trip to the service is part of health

	began    time.Time
	steadyAt time.Time // when it last was steady; the start of the watch before that
	round    bool      // this process had a round trip
	hash     bool      // and said which program it is
	reached  time.Time // since when the updater's own probe reaches the service; zero: it does not, or was not asked
	launcher int       // id of the launcher seen last
}

// NewProbation begins at a moment of a [Clock]. watch is Agent.UpdateWatchSeconds; registered says that the host had a registration
// before, so that reaching the service is part of health.
func NewProbation(v Version, watch time.Duration, registered bool, now time.Time) *Probation {
	return &Probation{life: life{last: now, asked: now}, version: v, watch: watch, registered: registered, began: now, steadyAt: now}
}

// Began is when the watch began.
func (p *Probation) Began() time.Time { return p.began }

// See judges one look. The reason is for people, of [Undo].
func (p *Probation) See(l Look) (Verdict, string) {
	v, reason := p.see(l)
	if v == Undo {
		if how, died := l.died(p.version); died {
			reason += fmt.Sprintf(" (its process ended: %s)", how)
		}
	}
	return v, reason
}

func (p *Probation) see(l Look) (Verdict, string) {
	if v := p.seeLauncher(l); v != GoOn {
		return v, ""
	}
	if l.Legible {
		switch pulse := l.Pulse; {
		case pulse.Sequence == p.version.Sequence && !Runs(pulse, p.version.Target, p.version.Number):
			return Undo, fmt.Sprintf("the launcher gave it up and runs %s instead", pulse.Version)
		case pulse.Sequence == p.version.Sequence:
			p.seeBeat(l)
		case pulse.Sequence < p.version.Sequence && p.lingers(l):
			return StopAgent, ""
		}
	}
	if p.steady(l.Now) {
		p.steadyAt = l.Now
	}
	if l.Untried { // the launcher is slow; no version can be silent before it was started
		p.last = l.Now
	}
	if quiet := l.Now.Sub(p.last); l.Running && quiet >= Silence(p.watch) {
		return Undo, fmt.Sprintf("no heartbeat for %s", rounded(quiet))
	}
	if p.steady(l.Now) && (p.round || !p.registered) && (p.hash || p.version.Target.IsFloor()) {
		return Confirm, ""
	}
	return p.seeLimits(l)
}

// seeLimits bounds how long a version may be neither well nor silent.
func (p *Probation) seeLimits(l Look) (Verdict, string) {
	if p.registered && !p.round && !p.reached.IsZero() && l.Now.Sub(p.reached) >= Deadline(p.watch) {
		return Undo, fmt.Sprintf("it does not reach the service, which the updater reached all the time for %s%s",
			rounded(l.Now.Sub(p.reached)), lastFault(l.Pulse))
	}
	if l.Now.Sub(p.steadyAt) >= Deadline(p.watch) {
		return Undo, fmt.Sprintf("it does not stay alive for %s without a break", rounded(p.watch))
	}
	return GoOn, ""
}

// seeLauncher gives a launcher that is away some time to come back; a new one starts the clock of silence anew.
func (p *Probation) seeLauncher(l Look) Verdict {
	before := p.without
	gone := p.away(l)
	if !l.Running {
		if p.launcher == 0 || gone >= grace {
			return Deserted
		}
		p.last = l.Now
		return GoOn
	}
	id := max(l.Launcher, 1)
	if p.launcher != 0 && (p.launcher != id || !before.IsZero()) {
		p.last, p.steadyAt = l.Now.Add(grace), l.Now
	}
	p.launcher = id
	return GoOn
}

// Revived gives a launcher that the updater itself started the time to come.
func (p *Probation) Revived(now time.Time) {
	p.launcher, p.without, p.last = max(p.launcher, 1), now, now
}

// seeBeat takes note of a pulse of the version on probation.
func (p *Probation) seeBeat(l Look) {
	if p.beat(l.Pulse, l.Now, Silence(p.watch)) {
		p.round, p.hash = false, false
	}
	p.round = p.round || l.Pulse.LastRoundTrip.After(l.Pulse.Started)
	p.hash = p.hash || l.Pulse.Hash != "" // Runs compared it
}

// lingers reports whether a process of an older sequence still has the agent lock and is to be stopped again. While it stays, no other
// agent can beat.
func (p *Probation) lingers(l Look) bool {
	if !l.lingers(p.version.Sequence) || p.times >= mostAsked {
		return false
	}
	p.last = l.Now
	return p.askToLeave(l.Now)
}

// steady reports whether one process beat without a break for the whole watch.
func (p *Probation) steady(now time.Time) bool {
	return !p.since.IsZero() && now.Sub(p.since) >= p.watch && now.Sub(p.last) < Silence(p.watch)
}

// Probed takes note of the updater's own attempt to reach the service.
func (p *Probation) Probed(now time.Time, err error) {
	switch {
	case err != nil:
		p.reached = time.Time{}
	case p.reached.IsZero():
		p.reached = now
	}
}

// NeedsProbe reports whether it matters if the updater reaches the service.
func (p *Probation) NeedsProbe() bool { return p.registered && !p.round }

// OutOfReach reports whether all is well but the service, which the updater cannot reach either.
func (p *Probation) OutOfReach(now time.Time) bool {
	return p.NeedsProbe() && p.reached.IsZero() && p.steady(now)
}

// lastFault is what the agent said of itself last, in brackets, or nothing.
func lastFault(p installer.Pulse) string {
	if p.LastFault == "" {
		return ""
	}
	return " (" + p.LastFault + ")"
}
