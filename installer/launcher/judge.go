package launcher

import (
	"strconv"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// death is an end of an agent that was not asked for.
type death struct {
	at   time.Time
	last bool // with it the version had died as often as it may
}

// judgeEnd decides whether the agent's end was orderly or a death, and what the next start owes. True: the service is asked to stop,
// too, as where a manager ends all its processes at once; then an end is no death. The word of that may come a moment later.
func (l *loop) judgeEnd() (stopped bool) {
	ended := l.System.Now()
	l.read()
	a := l.agent
	defer a.Close()
	name := "agent " + l.version(a.target) + " (process " + strconv.Itoa(a.pid) + ")"
	if l.state.Sequence != a.sequence {
		l.agent = nil
		l.say(name, " ended, as it was asked to: ", a.how())
		l.streak, l.backoff = 0, 0
		return false
	}
	if l.pause(l.Timing.Look, nil) {
		l.say(name, " ended: ", a.how())
		l.say("stopped")
		return true
	}
	l.agent = nil
	if ended.Sub(a.started) > l.Timing.Calm {
		l.streak = 0
	}
	own := a.killed || !(Death{How: a.ending}).FromOutside()
	l.countDeath(a.target, ended, own)
	l.setBackoff(a.target)
	l.backoff -= min(l.backoff, l.System.Now().Sub(ended))
	l.alarm(name, " ended unexpectedly: ", a.how())
	l.noteDeath(a.target, a.sequence, a.pid, a.how())
	return false
}

// noteConfirmation notes that the version on trial was confirmed; what was confirmed before counts no longer once another is active.
func (l *loop) noteConfirmation(before pointer.State, known bool) {
	now := l.state
	switch {
	case known && l.known && before.Probation && !now.Probation && now.Active == before.Active:
		l.confirmed, l.since = now.Active, l.System.Now()
	case now.Active != l.confirmed:
		l.confirmed = pointer.Target{}
	}
}

// countDeath counts a death; own: of the agent's own doing.
func (l *loop) countDeath(t pointer.Target, at time.Time, own bool) {
	recent := l.recent(t)
	n := len(recent) + 1
	enough := n >= l.Timing.Deaths
	switch {
	case l.state.Probation && t == l.state.Active:
		enough = own || n >= l.Timing.Fewer
	case t == l.confirmed && at.Sub(l.since) < l.Timing.Window:
		enough = n >= l.Timing.Fewer
	}
	l.deaths[t] = append(recent, death{at, enough})
}

// recent are the deaths of a target that count still.
func (l *loop) recent(t pointer.Target) []death {
	recent := l.deaths[t][:0]
	for _, d := range l.deaths[t] {
		if l.System.Now().Sub(d.at) < l.Timing.Window {
			recent = append(recent, d)
		}
	}
	if len(recent) > 0 {
		l.deaths[t] = recent
	}
	return recent
}

// exhausted reports whether a target died as often as it may.
func (l *loop) exhausted(t pointer.Target) bool {
	for _, d := range l.recent(t) {
		if d.last {
			return true
		}
	}
	return false
}

// setBackoff makes the next start wait: a second, doubling to a minute while it goes on.
func (l *loop) setBackoff(t pointer.Target) {
	l.backoff, l.backoffOf = l.Timing.Delay, t
	for range l.streak {
		l.backoff = min(2*l.backoff, l.Timing.DelayMax)
	}
	l.streak = min(l.streak+1, 32)
}
