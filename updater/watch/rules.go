package watch

import (
	"fmt"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
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
// and reaches the service, where the updater does, on every way that the version before had. It does not end by its own doing, nor twice
// by a signal from outside: the launcher judges so, too, unless it is an older one.
type Probation struct {
	life
	version Version
	watch   time.Duration
	before  Baseline

	began    time.Time
	steadyAt time.Time // when it last was steady; the start of the watch before that
	round    bool      // this process had every round trip that it needs
	lacks    string    // what it lacks of that, for people
	hash     bool      // and said which program it is
	reached  time.Time // since when the updater's own probe reaches the service; zero: it does not, or was not asked
	parent   int       // id of the launcher seen last

	looked bool           // at the note of the last death
	note   launcher.Death // seen last
	deaths int            // noted since the watch began
	own    bool           // one of them was of its own doing, or it cannot be started
	left   bool           // the launcher runs another version instead
	host   string         // what of the machine was in the way
}

// NewProbation begins at a moment of a [Clock]. watch is Agent.UpdateWatchSeconds; anew: nothing was seen of the version yet, so that
// every death under its pointer is of this watch. A watch that is resumed counts no death of before: it may have been a shutdown.
func NewProbation(v Version, watch time.Duration, before Baseline, anew bool, now time.Time) *Probation {
	if watch < longPoll {
		before.Lanes = nil
	}
	return &Probation{life: life{last: now, asked: now}, version: v, watch: watch, before: before, began: now, steadyAt: now, looked: anew}
}

// longPoll is how long a watch is at least that asks for answers on lanes: where no command waits, the first one may be held for 20 s. The
// usual watch is longer.
const longPoll = 25 * time.Second

// Began is when the watch began.
func (p *Probation) Began() time.Time { return p.began }

// See judges one look. The reason is for people, of [Undo].
func (p *Probation) See(l Look) (Verdict, string) {
	v, reason := p.see(l)
	if v != Undo {
		return v, reason
	}
	switch how, died := l.died(p.version); {
	case p.host != "":
		reason += fmt.Sprintf(" (this machine was in the way: %s)", p.host)
	case died && !strings.Contains(reason, how):
		reason += fmt.Sprintf(" (its process ended: %s)", how)
	}
	return v, reason
}

// Blameless reports whether nothing that was seen is the version's doing: it ended by signals from outside only, or the machine kept it
// from being tried.
func (p *Probation) Blameless() bool {
	if p.own {
		return false
	}
	return p.deaths > 0 || p.host != "" || p.left && (p.note.Version == "" || p.note.FromOutside())
}

// HostFault reports whether it was the machine that kept the version from being tried: a disk that failed, is full or read-only.
func (p *Probation) HostFault() bool { return !p.own && p.host != "" }

// seeDeath counts what the launcher noted since the last look, and says when that was enough.
func (p *Probation) seeDeath(l Look) (Verdict, string) {
	if _, died := l.died(p.version); !died || l.Death == p.note {
		p.looked = true
		return GoOn, ""
	}
	p.note = l.Death
	if !p.looked {
		p.looked = true
		return GoOn, ""
	}
	if cause, ok := l.Death.HostFault(); ok {
		p.host = cause
		return GoOn, "" // the launcher runs another version by now
	}
	p.deaths++
	switch outside := l.Death.FromOutside(); {
	case !outside:
		p.own = true
		return Undo, "its process ended: " + l.Death.How
	case p.deaths >= mostKilled:
		return Undo, fmt.Sprintf("its process was ended from outside %d times: %s", p.deaths, l.Death.How)
	}
	return GoOn, ""
}

// mostKilled is how often a process on trial may be ended from outside, the last included.
const mostKilled = 2

func (p *Probation) see(l Look) (Verdict, string) {
	if v := p.seeLauncher(l); v != GoOn {
		return v, ""
	}
	if v, reason := p.seeDeath(l); v != GoOn {
		return v, reason
	}
	if l.Disk != nil {
		p.host = l.Disk.Error()
	}
	if l.Legible {
		switch pulse := l.Pulse; {
		case pulse.Sequence == p.version.Sequence && !Runs(pulse, p.version.Target, p.version.Number):
			p.left = true
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
		p.own = p.own || p.host == ""
		return Undo, fmt.Sprintf("no heartbeat for %s", rounded(quiet))
	}
	if p.steady(l.Now) && (p.round || !p.before.Registered) && (p.hash || p.version.Target.IsFloor()) {
		return Confirm, ""
	}
	return p.seeLimits(l)
}

// seeLimits bounds how long a version may be neither well nor silent.
func (p *Probation) seeLimits(l Look) (Verdict, string) {
	if p.NeedsProbe() && !p.reached.IsZero() && !p.first.IsZero() {
		mute := l.Now.Sub(p.reached)
		if own := l.Now.Sub(p.first); own < mute {
			mute = own
		}
		if mute >= Mute(p.watch) {
			p.own = true
			return Undo, fmt.Sprintf("it does not reach the service%s, which the updater reached all the time for %s%s",
				p.lacks, rounded(mute), lastFault(l.Pulse))
		}
	}
	if l.Now.Sub(p.steadyAt) >= Deadline(p.watch) {
		p.own = true
		return Undo, fmt.Sprintf("it does not stay alive for %s without a break", rounded(p.watch))
	}
	return GoOn, ""
}

// seeLauncher gives a launcher that is away some time to come back; a new one starts the clock of silence anew.
func (p *Probation) seeLauncher(l Look) Verdict {
	before := p.without
	gone := p.away(l)
	if !l.Running {
		if p.parent == 0 || gone >= grace {
			return Deserted
		}
		p.last = l.Now
		return GoOn
	}
	id := max(l.Launcher, 1)
	if p.parent != 0 && (p.parent != id || !before.IsZero()) {
		p.last, p.steadyAt = l.Now.Add(grace), l.Now
	}
	p.parent = id
	return GoOn
}

// Revived gives a launcher that the updater itself started the time to come.
func (p *Probation) Revived(now time.Time) {
	p.parent, p.without, p.last = max(p.parent, 1), now, now
}

// seeBeat takes note of a pulse of the version on probation.
func (p *Probation) seeBeat(l Look) {
	if p.beat(l.Pulse, l.Now, Silence(p.watch)) {
		p.round, p.hash, p.first = false, false, l.Now
	}
	p.round = p.round || p.reaches(l.Pulse)
	p.hash = p.hash || l.Pulse.Hash != "" // Runs compared it
}

// reaches reports whether a process had a round trip on every way that it needs. What an agent of before 9.2 says is one, whichever.
func (p *Probation) reaches(pulse installer.Pulse) bool {
	if pulse.Lanes == nil {
		return pulse.LastRoundTrip.After(pulse.Started)
	}
	if p.lacks = ""; !pulse.LastPing.After(pulse.Started) {
		return false
	}
	for _, name := range p.before.Lanes {
		l, known := pulse.Lanes[name]
		if answers(pulse, l) || !known && another(pulse) {
			continue
		}
		p.lacks = " for commands (" + name + ")"
		return false
	}
	return true
}

// answers reports whether a lane answered this process, or is not for this node.
func answers(pulse installer.Pulse, l installer.Lane) bool {
	return l.Denied || l.Answered.After(pulse.Started)
}

// another reports whether any lane answered this process: what a version needs that knows none of that name, one of before the lane was
// there. Versions that know it name it in every pulse, from the first on.
func another(pulse installer.Pulse) bool {
	for _, l := range pulse.Lanes {
		if l.Answered.After(pulse.Started) {
			return true
		}
	}
	return false
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

// steady reports whether one process beat without a break for the whole watch, up to its end: one that died in the last seconds may not be
// noted as dead yet, for the launcher is slow where the machine is.
func (p *Probation) steady(now time.Time) bool {
	toTheEnd := p.heard.Sub(p.since) >= p.watch-installer.BeatPeriod(p.watch)/2
	return !p.since.IsZero() && now.Sub(p.since) >= p.watch && now.Sub(p.last) < Silence(p.watch) && toTheEnd
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
func (p *Probation) NeedsProbe() bool { return p.before.Registered && !p.round }

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
