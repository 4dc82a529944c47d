package watch

import (
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
)

// life is what was seen of a process since a watch began, and of what stands in its way: an agent of an older pointer, a launcher that
// is away.
type life struct {
	process int
	started time.Time // its own start, as it says
	beats   uint64    // its last beat that was seen
	seen    int       // how many different ones were
	since   time.Time // since when its beats are unbroken
	first   time.Time // when this process was seen first
	last    time.Time // when a beat was last seen; the start of the watch before the first, later where silence is not counted
	heard   time.Time // when a beat was last seen

	without time.Time // since when no launcher is seen; zero while one is
	asked   time.Time // when an agent of an older sequence was last asked to leave
	times   int       // how often
}

// Limits of a watch follow from its length, 30 s by default.

// Silence is how long no beat may be missing: two thirds of the watch, at least two beats, at least 3 s (a busy machine may take that
// long to start anything).
func Silence(watch time.Duration) time.Duration {
	return max(watch*2/3, 2*installer.BeatPeriod(watch), 3*time.Second)
}

// Mute is how long a process may go without a round trip while the updater itself reaches the service.
func Mute(watch time.Duration) time.Duration { return watch * 3 / 2 }

// Deadline is how long it may take in all while the service can be reached.
func Deadline(watch time.Duration) time.Duration { return 4 * watch }

// grace is how long a launcher may be away (its own restart) before it counts as stopped, and how long a new one may take to
// stop an agent that lost the old one.
const grace = 6 * time.Second

// How often, and how soon again, an agent of an older sequence is asked to leave: one that was just starting did not hear it.
const (
	mostAsked = 5
	askAgain  = 2 * time.Second
)

// beat takes note of a pulse of the version, and reports whether it is of another process than before.
func (l *life) beat(p installer.Pulse, now time.Time, silence time.Duration) (another bool) {
	switch {
	case p.PID != l.process || !p.Started.Equal(l.started):
		l.process, l.started, l.since, l.seen, another = p.PID, p.Started, now, 0, true
	case p.Beats == l.beats:
		return false
	case now.Sub(l.last) >= silence:
		l.since = now
	}
	l.beats, l.last, l.heard = p.Beats, now, now
	l.seen++
	return another
}

// askToLeave reports whether it is time to ask an agent of an older sequence, and counts that it was.
func (l *life) askToLeave(now time.Time) bool {
	if l.times >= mostAsked || now.Sub(l.asked) < askAgain {
		return false
	}
	l.asked, l.times = now, l.times+1
	return true
}

// away is how long no launcher has been seen.
func (l *life) away(look Look) time.Duration {
	switch {
	case look.Running:
		l.without = time.Time{}
		return 0
	case l.without.IsZero():
		l.without = look.Now
	}
	return look.Now.Sub(l.without)
}

// rounded is a duration for people.
func rounded(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}
