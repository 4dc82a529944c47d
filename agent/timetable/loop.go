// Package timetable is the agent's loop that looks for releases by itself: it follows a source ("stay current") and, where that is set,
// runs the original's Agent.SelfUpdate. When to look, and what a look means, are rules of updater/schedule.
//
// Parties: the daemon runs one loop for each identity; the region is read, and the updater started, by functions that are handed in.
//
// What must always be true:
//   - nothing here decides to change a version: the updater is asked with a request like any other, by its lock, and refuses or does it;
//   - one timer; a restart of the agent brings no look nearer, since the next one is on disk (updater/schedule) before a look begins;
//   - what goes wrong is logged and waited out. It never ends the agent.
//
// It keeps nothing on disk but the record of updater/schedule.
package timetable

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/schedule"
)

// Loop looks for one identity. Now and Sleep may be nil: the real ones.
type Loop struct {
	Layout  installer.Layout
	Host    string // the instance's id
	Running manifests.Version
	Source  string // address of the manifest; empty: there is none
	Log     *slog.Logger

	Follow string        // latest or stable; empty: nothing is followed
	Period time.Duration // between two looks
	Trust  string        // why the source is believed, for people
	Open   func() (schedule.Region, error)
	// Ask has the updater begin; Busy tells of its error that another update is under way.
	// last is the look before, by which the updater knows whether the host missed a window; zero: not known.
	Ask  func(want string, allowDowngrade bool, last time.Time) error
	Busy func(error) bool
	// Permit asks the host's own policy; ok: it allows the version now, or another that the updater may find (note: why the newest stays
	// back), else why not, by code and for people, and until when (zero: not known). last is the look before; nil: there is no policy.
	Permit func(now time.Time, seen schedule.Seen, last time.Time) (code, note string, until time.Time, ok bool)
	// Hours are the maintenance windows of the host; nil: it has none. It is called at each turn, so that a change of the policy counts.
	Hours func() schedule.Hours
	// After is how long a region's error asks to wait; 0: it does not say.
	After func(error) time.Duration

	SelfUpdate time.Duration // period of Agent.SelfUpdate; 0: it is off
	Listing    func(ctx context.Context) (manifests.Listing, error)
	// Unsupported is why Agent.SelfUpdate does nothing on this system; empty: it does.
	Unsupported string

	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// nap is the longest sleep at once, so that a clock that is set, or a suspended machine, is noticed.
const nap = 10 * time.Minute

// Run looks until ctx ends.
func (l Loop) Run(ctx context.Context) {
	if l.Now == nil {
		l.Now = time.Now
	}
	if l.Sleep == nil {
		l.Sleep = host.Sleep
	}
	if l.Follow == "" {
		if err := schedule.Drop(l.Layout); err != nil {
			l.Log.Info("the record of the schedule stays", "error", err)
		}
		if l.SelfUpdate == 0 {
			return
		}
	}
	record := schedule.Read(l.Layout)
	var selfUpdate time.Time
	if l.SelfUpdate > 0 {
		selfUpdate = l.Now().Add(schedule.SelfUpdateDelay(l.Host, l.Now()))
	}
	for {
		now := l.Now()
		if l.SelfUpdate > 0 && selfUpdate.After(now.Add(l.SelfUpdate+schedule.SelfUpdateLongest)) { // the clock was put back
			selfUpdate = now.Add(schedule.SelfUpdateDelay(l.Host, now))
		}
		next := selfUpdate
		if l.Follow != "" {
			l.due(&record, now)
			if next.IsZero() || record.Next.Before(next) {
				next = record.Next
			}
		}
		if wait := next.Sub(now); wait > 0 {
			if l.Sleep(ctx, min(wait, nap)) != nil {
				return
			}
			continue
		}
		if l.Follow != "" && !record.Next.After(now) {
			l.look(ctx, &record)
		} else if at := schedule.Inside(l.Host, l.hours(), now); at.After(now) {
			selfUpdate = at
		} else {
			l.runSelfUpdate(ctx)
			selfUpdate = now.Add(l.SelfUpdate + schedule.SelfUpdateDelay(l.Host, now))
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// due keeps the record as it is to be before the next look.
func (l Loop) due(r *schedule.Record, now time.Time) {
	before := r.Next
	r.Due(l.Host, l.Source, l.Follow, l.Period, now)
	r.Into(l.Host, l.hours(), l.Period, now)
	if r.Trust != l.Trust || !r.Next.Equal(before) {
		r.Trust = l.Trust
		l.save(r)
	}
}

// hours are nil where the host has no windows.
func (l Loop) hours() schedule.Hours {
	if l.Hours == nil {
		return nil
	}
	return l.Hours()
}

func (l Loop) save(r *schedule.Record) {
	if err := r.Save(l.Layout); err != nil {
		l.Log.Info("the record of the schedule cannot be written", "error", err)
	}
}

// look reads the source, and asks the updater where that follows.
func (l Loop) look(ctx context.Context, r *schedule.Record) {
	code, err := schedule.Failed, error(nil)
	note := ""
	if !l.claim(r) {
		return
	}
	region, err := l.Open()
	if err == nil {
		err = r.Look(ctx, region, l.Running)
	}
	if ctx.Err() != nil {
		return // the agent leaves: the look is made anew by the next
	}
	if err == nil {
		v := schedule.Decide(l.Host, l.Running, r.Seen)
		if code = v.Code; v.Ask && l.Permit != nil {
			why, text, until, ok := l.Permit(l.Now(), r.Seen, r.Looked)
			if note = text; !ok {
				r.Withheld(l.Host, why, note, until, l.hours(), l.Period, l.Now())
				l.looked(r)
				return
			}
		}
		if v.Ask {
			if err = l.Ask(r.Follow, false, r.Looked); err != nil {
				if code = schedule.Failed; l.Busy(err) {
					code = schedule.Busy
				}
			}
		}
	}
	after := time.Duration(0)
	if err != nil {
		after = l.After(err)
	}
	r.Ended(l.Host, code, err, after, l.Period, l.Now())
	r.Note = note
	l.looked(r)
}

// claim notes on disk that a look begins, as one that failed, so that an agent that dies in it over and over does not ask the region each
// time. Where that cannot be noted the look waits: no update could be kept there either.
func (l Loop) claim(r *schedule.Record) bool {
	begun := *r
	begun.Failures++
	begun.Next = schedule.Retry(l.Host, begun.Failures, 0, l.Period, l.Now())
	if err := begun.Save(l.Layout); err != nil {
		l.Log.Info("no release is looked for: the record of the schedule cannot be written", "error", err, "next", begun.Next)
		r.Next = begun.Next
		return false
	}
	return true
}

// looked keeps what came of a look, and says it.
func (l Loop) looked(r *schedule.Record) {
	l.save(r)
	l.Log.Info("looked for a release", "source", l.Source, "version", r.Seen.Version.String(), "result", r.Code, "note", r.Note,
		"error", r.Fault, "next", r.Next)
}

// runSelfUpdate is one run of the original's Agent.SelfUpdate: away from a deprecated version, else nothing.
func (l Loop) runSelfUpdate(ctx context.Context) {
	if l.Unsupported != "" {
		l.Log.Error("self update doesn't support this platform", "platform", l.Unsupported)
		return
	}
	listing, err := l.Listing(ctx)
	var to manifests.Version
	if err == nil {
		to, err = schedule.SelfUpdateTarget(l.Running, listing)
	}
	switch {
	case errors.Is(err, manifests.ErrNotListed):
		l.Log.Error("self update", "code", "ErrorVersionNotFoundInManifest", "error", err)
		return
	case err != nil:
		l.Log.Error("self update: the source cannot be read", "error", err)
		return
	case to.IsZero() || to == l.Running:
		l.Log.Info("self update: the version is not deprecated, nothing to do", "version", l.Running.String())
		return
	}
	switch err := l.Ask(schedule.Latest, true, time.Time{}); {
	case err == nil:
		l.Log.Info("self update: a deprecated version is left", "from", l.Running.String(), "to", to.String())
	case l.Busy(err):
		l.Log.Error("self update", "code", "ErrorUpdaterLockBusy", "error", err)
	default:
		l.Log.Error("self update", "code", "ErrorExecuteUpdater", "error", err)
	}
}
