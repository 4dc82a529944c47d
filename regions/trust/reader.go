package trust

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// Watch is what a verification is told of and tells.
type Watch struct {
	Now  func() time.Time  // nil: the clock
	Log  *slog.Logger      // nil: silent
	Warn func(line string) // told what ends soon; nil: the log is
}

func (w Watch) complete() Watch {
	if w.Now == nil {
		w.Now = time.Now
	}
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	if w.Warn == nil {
		w.Warn = func(line string) { w.Log.Warn(line) }
	}
	return w
}

// Signed is how a client of this host verifies; nil where the host has no root. An error of the folder is told by every reading, never
// passed over. What was verified is kept, so that nothing older is taken from then on.
func (p Place) Signed(w Watch) bucket.Signed { return p.verifying(w, true) }

// Look is as [Place.Signed] for what only shows something: it keeps nothing, so a look leaves the host as it was.
func (p Place) Look(w Watch) bucket.Signed { return p.verifying(w, false) }

func (p Place) verifying(w Watch, keep bool) bucket.Signed {
	pinned, err := p.Pinned()
	if !pinned && err == nil {
		return nil
	}
	w = w.complete()
	return func(ctx context.Context, read func(context.Context, string, int64) ([]byte, error)) (bucket.Listed, error) {
		state, err := p.Load()
		if err != nil {
			return bucket.Listed{}, err
		}
		l, err := state.Refresh(ctx, read, w.Now())
		var kept error
		if keep {
			kept = p.Save(state)
		}
		if errors.Is(kept, fs.ErrPermission) {
			w.Log.Debug("what was verified cannot be kept by this account", "error", kept)
			kept = nil // it is not the one that installs
		}
		if err != nil {
			return bucket.Listed{}, err
		}
		return w.told(l), kept
	}
}

// Pinned is how a client verifies by a root that a person named, where no host's folder is at hand: nothing is remembered, so an older copy
// that has not expired is not noticed.
func Pinned(root []byte, w Watch) bucket.Signed {
	state := &State{Root: root}
	w = w.complete()
	return func(ctx context.Context, read func(context.Context, string, int64) ([]byte, error)) (bucket.Listed, error) {
		l, err := state.Refresh(ctx, read, w.Now())
		if err != nil {
			return bucket.Listed{}, err
		}
		return w.told(l), nil
	}
}

// After is as [Pinned], by a client that saw an earlier copy of the same region: what verifies of that counts as seen, so nothing older is
// taken. A mirror is one.
func After(root []byte, earlier Read, w Watch) bucket.Signed {
	return func(ctx context.Context, read func(context.Context, string, int64) ([]byte, error)) (bucket.Listed, error) {
		state := &State{Root: root}
		_, _ = state.Refresh(ctx, earlier, time.Time{}) // what has ended was seen all the same
		l, err := state.Refresh(ctx, read, w.complete().Now())
		if err != nil {
			return bucket.Listed{}, err
		}
		return w.complete().told(l), nil
	}
}

// told is a list as a client uses it. What ends soon is logged.
func (w Watch) told(l *Listing) bucket.Listed {
	for _, line := range l.Warnings(w.Now()) {
		w.Warn(line)
	}
	return bucket.Listed{Find: l.Find, Consistent: l.consistent, Trust: bucket.Trust{Root: l.Root, SHA256: l.SHA256}}
}
