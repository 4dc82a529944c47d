package watch

import (
	"fmt"
	"time"
)

// Liveness is the rules for a version that is not on probation: it lives when one process of it was seen to beat twice. A launcher that
// starts no agent is waited for.
type Liveness struct {
	life
	version  Version
	after    time.Time // what was written before is not counted
	patience time.Duration
	watch    time.Duration

	began time.Time // since when a beat might have been seen
	until time.Time // a launcher that starts no agent is waited for
}

// NewLiveness begins at a moment of a [Clock]. Pulses written before after do not count; watch is Agent.UpdateWatchSeconds.
func NewLiveness(v Version, watch time.Duration, after, now time.Time) *Liveness {
	return &Liveness{life: life{last: now, asked: now, without: now}, version: v, after: after, watch: watch,
		patience: max(Silence(watch), 20*time.Second), began: now, until: now.Add(Deadline(watch))}
}

// See judges one look. The reason is for people, of [Undo].
func (v *Liveness) See(l Look) (Verdict, string) {
	if v.away(l) >= grace {
		return Deserted, ""
	}
	if l.lingers(v.version.Sequence) && l.Pulse.Version != v.version.Number && v.askToLeave(l.Now) {
		v.began = l.Now
		return StopAgent, ""
	}
	if p := l.Pulse; l.Legible && p.Version == v.version.Number && p.At.After(v.after.Add(-time.Second)) {
		if v.beat(p, l.Now, Silence(v.watch)); v.seen > 1 {
			return Confirm, ""
		}
	}
	if _, died := l.died(v.version); v.idle(l) && !died {
		v.began = l.Now
	}
	if quiet := l.Now.Sub(v.began); quiet >= v.patience {
		return Undo, fmt.Sprintf("no heartbeat of %s for %s", v.version.Number, rounded(quiet))
	}
	return GoOn, ""
}

// idle reports whether a launcher has started no agent so far, and may take its time.
func (v *Liveness) idle(l Look) bool { return l.Running && l.Agent == 0 && l.Now.Before(v.until) }

// Revived gives a launcher that the updater itself started the time to come.
func (v *Liveness) Revived(now time.Time) { v.began, v.without = now, now }
