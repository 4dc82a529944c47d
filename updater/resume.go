package updater

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/store"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// How resume deals with another updater.
const (
	lockPatience = 15 * time.Second // it waits so long for the lock; agent and launcher start it again
	idleMost     = 30 * time.Minute // a holder that moved nothing for so long is ended
	mostAttempts = 4                // updaters that may die before the switch of one update
)

// Resume goes on with whatever an updater left: an open update, requests that are in no ledger yet, owed answers; then it brings
// the pointer in line with what runs. Another updater at work is no error.
func (e *Engine) Resume(ctx context.Context) error {
	e.complete()
	lock, err := e.awaitLock(ctx)
	if err != nil || lock == nil {
		return err
	}
	e.lock = lock
	defer e.runDeferred()
	defer func() { _ = lock.Release() }()
	if e.removed() {
		return nil
	}
	b, err := ledger.Open(e.Layout)
	if err != nil {
		return err
	}
	e.checkInstance(b)
	defer e.sendOwedUnlessEnding(ctx, b)
	if err := e.adopt(b); err != nil {
		return err
	}
	if b.Open != nil {
		if err := e.goOn(ctx, b); err != nil {
			return leftOpen(err)
		}
	}
	if err := e.serveWaiting(ctx, b); err != nil {
		return leftOpen(err)
	}
	if b.Open != nil {
		return nil
	}
	return e.align(ctx, b)
}

// removed tells that the installation went away while this updater waited for the lock: then nothing may be written any more.
func (e *Engine) removed() bool {
	_, err := os.Stat(e.Layout.Worker())
	return errors.Is(err, fs.ErrNotExist)
}

// awaitLock takes the update lock; nil when another updater is at work.
func (e *Engine) awaitLock(ctx context.Context) (*installer.UpdateLock, error) {
	began := e.Now()
	for {
		if e.removed() {
			return nil, nil // taking the lock would make its folder anew
		}
		lock, err := installer.LockUpdate(e.Layout)
		if err == nil || !errors.Is(err, installer.ErrBusy) {
			return lock, err
		}
		e.endIdle()
		if e.Now().Sub(began) > lockPatience {
			return nil, nil
		}
		if e.Pause(ctx, 250*time.Millisecond) != nil {
			return nil, nil
		}
	}
}

// endIdle ends an updater of ours that holds the lock and moved nothing for half an hour.
func (e *Engine) endIdle() {
	led, err := ledger.Read(e.Layout)
	if err != nil || led.Open == nil || led.BootID != e.System.Boot || e.Now().Sub(led.Open.Moved) < idleMost {
		return
	}
	if pid, held := installer.UpdateLockHolder(e.Layout); held && pid == led.Open.PID && pid != os.Getpid() {
		e.Log.Warn("ending an updater that makes no progress", "pid", pid)
		if p, err := os.FindProcess(pid); err == nil {
			_ = p.Kill()
		}
	}
}

// adopt makes an open update of a pointer on probation that no ledger knows: the ledger was lost.
func (e *Engine) adopt(b *ledger.File) error {
	if b.Open != nil {
		return nil
	}
	s := store.Store{Paths: e.Layout.Pointer()}
	state, err := s.Read()
	if err != nil || !state.Probation {
		return err
	}
	floor, err := e.System.Floor()
	if err != nil {
		return err
	}
	now := e.Now()
	id, err := e.Identity()
	b.Open = &ledger.Update{ID: host.NewUUID(), Request: ledger.Request{Why: ledger.ByCommandLine}, Stop: ledger.StopWatch, Since: now,
		Moved: now, Started: now,
		Region: e.Settings.Region, FromVersion: versionOf(orFloor(state.Previous), floor), ToVersion: versionOf(state.Active, floor),
		From: orFloor(state.Previous), To: state.Active, FromSequence: state.Sequence - 1, Sequence: state.Sequence,
		Registered: err == nil && id != "", Notes: []string{"the record of this update was lost"}}
	return b.Save(true)
}

func orFloor(t pointer.Target) pointer.Target {
	if t.IsZero() {
		return pointer.OnFloor()
	}
	return t
}

// goOn goes on with the open update where the pointer says it stands: not replaced → on, or undo; replaced → its sequence decides.
func (e *Engine) goOn(ctx context.Context, b *ledger.File) error {
	w := e.newWork(b)
	state, err := w.store.Read()
	if err != nil {
		return fmt.Errorf("read which version is active: %w", err)
	}
	written := w.u.Sequence != 0 && state.Sequence >= w.u.Sequence
	if written && w.overtaken(state) {
		w.u.Sequence, written = 0, false
	}
	w.u.NextStart = false
	e.Log.Info("going on with an update", "id", w.u.ID, "step", w.u.Stop, "change", w.u.Sequence, "active change", state.Sequence,
		"on trial", state.Probation, "undoing", w.u.Undoing)
	switch {
	case w.u.Undoing:
		return w.undone(ctx, nil)
	case !written && w.u.Attempts > mostAttempts:
		return w.undone(
			ctx,
			&failure{code: codeUnexpected, text: fmt.Sprintf("%d updaters ended before they could switch to it", w.u.Attempts-1)},
		)
	case !written:
		w.u.To, w.u.Package, w.u.Known, w.u.FromFloor = pointer.Target{}, ledger.Package{}, false, false
		return w.walk(ctx, ledger.StopPlan)
	case state.Sequence == w.u.Sequence && (state.Probation || w.u.Known):
		return w.walk(ctx, ledger.StopWatch)
	case state.Active == w.u.To:
		return w.walk(ctx, ledger.StopFinish)
	}
	return w.undone(ctx, w.failTrial("the version before was restored while no updater was at work"))
}

// overtaken reports whether the pointer, though it is past the update's sequence, never named its target: the update had its tokens,
// no more, when its updater ended, and a package's script wrote the pointer since.
func (w *work) overtaken(s pointer.State) bool {
	return !w.u.Undoing && !s.Probation && s.Sequence > w.u.Sequence && s.Active == w.u.From && s.Active != w.u.To
}

// undone undoes everything and finishes.
func (w *work) undone(ctx context.Context, why error) error {
	if why != nil {
		w.noteFailure(why)
	}
	rows := stops()
	if err := w.undo(ctx, len(rows)-1); err != nil {
		return err
	}
	return w.act(ctx, rows[len(rows)-1])
}
