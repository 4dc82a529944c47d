package policy

import (
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Facts are what a verdict rests on beside the policy, the time and the version in question.
type Facts struct {
	Why       string            // who asks, one of the By… constants of updater/ledger
	Running   manifests.Version // what runs on the host
	Published time.Time         // when the version was published, by the region's index; zero: the region does not say
	LastLook  time.Time         // when this host looked for a release by itself before this look; zero: not known
	Override  bool              // a person at the machine says: all the same
	Rescue    bool              // the version that runs was withdrawn, by a signed index: only windows count
}

// Verdict says whether a version may be put in place now.
type Verdict struct {
	Allowed bool
	Reason  string    // why not, a code of [Reasons]; of an allowed version what a person overrode, else empty
	Until   time.Time // when it is worth asking again; zero: not known
	Text    string    // Reason as a sentence
}

// Decide judges one version that is another than the one that runs. A hold comes first, then versions, cooldown and windows.
func (p Policy) Decide(now time.Time, candidate manifests.Version, f Facts) Verdict {
	v := p.judge(now, candidate, f)
	if !v.Allowed && f.Override && (f.Why == ledger.ByCommandLine || f.Why == ledger.BySetup) {
		v.Allowed = true
	}
	return v
}

// Scheduled is the verdict for the schedule, which knows a source's newest version alone: where the policy may allow an older one than
// that, the updater is to be asked, which knows them all. Text then says what keeps the newest back.
func (p Policy) Scheduled(now time.Time, newest manifests.Version, f Facts) Verdict {
	v := p.Decide(now, newest, f)
	h := p.At(now)
	leads := v.Reason == OnHold && h != nil && f.Running.Less(h.Version) && h.Version.Less(newest)
	if v.Allowed || !leads && v.Reason != OutsideVersions && v.Reason != CoolingDown {
		return v
	}
	if c := p.closed(now, f); !c.Allowed {
		return c
	}
	v.Allowed = true
	return v
}

func (p Policy) judge(now time.Time, candidate manifests.Version, f Facts) Verdict {
	if err := p.Check(now); err != nil {
		return Verdict{Reason: Unreadable, Text: fmt.Sprintf("the update policy of this host cannot be obeyed, so nothing is updated: %v", err)}
	}
	if !f.Rescue {
		for _, rule := range []func(time.Time, manifests.Version, Facts) (Verdict, bool){p.held, p.outside, p.tooFresh} {
			if v, stops := rule(now, candidate, f); stops {
				return v
			}
		}
	}
	return p.closed(now, f)
}

// held applies the hold.
func (p Policy) held(now time.Time, candidate manifests.Version, _ Facts) (Verdict, bool) {
	h := p.At(now)
	if h == nil || !h.Version.IsZero() && h.Version == candidate {
		return Verdict{}, false
	}
	return Verdict{Reason: OnHold, Until: h.Until, Text: fmt.Sprintf("this host is %s", h)}, true
}

// outside applies the constraint.
func (p Policy) outside(_ time.Time, candidate manifests.Version, _ Facts) (Verdict, bool) {
	if p.Versions == "" {
		return Verdict{}, false
	}
	c, err := manifests.ParseConstraint(p.Versions)
	if err == nil && c.Allows(candidate) {
		return Verdict{}, false
	}
	return Verdict{Reason: OutsideVersions, Text: fmt.Sprintf("%s is outside of the versions %s that this host allows", candidate,
			p.Versions)},
		true
}

// lastYear is the last one that JSON has a form for: the verdict goes into the record of updates.
const lastYear = 9999

// tooFresh applies the cooldown. A region that does not say when a version was published has no cooldown for it: there is no telling.
func (p Policy) tooFresh(now time.Time, candidate manifests.Version, f Facts) (Verdict, bool) {
	d, _ := p.cooldown()
	if ready := f.Published.Add(d); d > 0 && !f.Published.IsZero() && now.Before(ready) {
		if ready.UTC().Year() > lastYear {
			ready = time.Date(lastYear, time.December, 31, 0, 0, 0, 0, time.UTC)
		}
		return Verdict{Reason: CoolingDown, Until: ready, Text: fmt.Sprintf("%s was published on %s, and this host waits %s: until %s",
			candidate, when(f.Published), p.Cooldown, when(ready))}, true
	}
	return Verdict{}, false
}

// closed applies the windows. A host that has not looked since a window opened last, since it was off or asleep, catches up. It is the one
// rule on missed windows: the agent asks it at each look, and hands the look before to the updater, which asks it again.
func (p Policy) closed(now time.Time, f Facts) Verdict {
	if len(p.Windows) == 0 {
		return Verdict{Allowed: true}
	}
	var next time.Time
	for _, w := range p.Windows {
		opened, closes, err := w.last(now)
		if err == nil && !opened.IsZero() {
			missed := f.Why == ledger.ByTimer && !f.LastLook.IsZero() && f.LastLook.Before(opened)
			if now.Before(closes) || missed {
				return Verdict{Allowed: true}
			}
		}
		if n, err := w.next(now); err == nil && (next.IsZero() || n.Before(next)) {
			next = n
		}
	}
	return Verdict{Reason: OutsideWindow, Until: next, Text: fmt.Sprintf("updates of this host begin in its maintenance windows only: "+
		"the next one opens at %s", when(next))}
}

// Opening is the window that is open at t, by its end the last of them; where none is, the next one to open. Zero: there is none.
func (p Policy) Opening(t time.Time) (opens, closes time.Time) {
	for _, w := range p.Windows {
		if opened, end, err := w.last(t); err == nil && !opened.IsZero() && t.Before(end) && end.After(closes) {
			opens, closes = opened, end
		}
	}
	if !opens.IsZero() {
		return opens, closes
	}
	for _, w := range p.Windows {
		length, _, err := w.parts()
		next, nextErr := w.next(t)
		if err != nil || nextErr != nil {
			continue
		}
		if opens.IsZero() || next.Before(opens) || next.Equal(opens) && next.Add(length).After(closes) {
			opens, closes = next, next.Add(length)
		}
	}
	return opens, closes
}

// Window tells whether a maintenance window is open, until when, and when the next one opens. A policy without windows has none.
func (p Policy) Window(now time.Time) (open bool, closes, next time.Time) {
	for _, w := range p.Windows {
		if opened, end, err := w.last(now); err == nil && !opened.IsZero() && now.Before(end) && end.After(closes) {
			open, closes = true, end
		}
		if n, err := w.next(now); err == nil && (next.IsZero() || n.Before(next)) {
			next = n
		}
	}
	return open, closes, next
}
