package updater

import (
	"context"
	"errors"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Run takes a request and brings it to its end. say is told one line as soon as it is decided whether the request is taken, for
// the program that started this updater ([Launch]). The outcome is nil when another updater has it, or when it stays open for resume: no
// launcher runs, or this process was asked to end.
func (e *Engine) Run(ctx context.Context, r ledger.Request, say func(line string)) (*ledger.Outcome, error) {
	e.complete()
	r = ledger.WithID(r, e.Now())
	lock, err := e.takeLock(ctx)
	if errors.Is(err, installer.ErrBusy) {
		if lock, err = e.takeOver(r); lock == nil {
			return nil, e.refuseOrPostpone(r, say)
		}
	}
	if err != nil {
		say(answerRefused + " " + err.Error())
		return nil, err
	}
	e.lock = lock
	defer e.runDeferred()
	defer func() { _ = lock.Release() }()
	b, err := ledger.Open(e.Layout)
	if err != nil {
		say(answerRefused + " " + err.Error())
		return nil, err
	}
	e.checkInstance(b)
	if err := e.adopt(b); err != nil {
		e.Log.Warn("cannot look after a version on trial", "error", err)
	}
	if err := e.accept(b, r); err != nil {
		say(answerRefused + " " + err.Error())
		return nil, err
	}
	say(answerTaken + " " + r.ID)
	return e.serve(ctx, b, r)
}

// passing is how long a request waits for a lock whose holder has no update open: it tidies up, or found nothing to do.
const passing = 10 * time.Second

// takeLock takes the update lock, or fails with [installer.ErrBusy].
func (e *Engine) takeLock(ctx context.Context) (*installer.UpdateLock, error) {
	for began := e.Now(); ; {
		lock, err := installer.LockUpdate(e.Layout)
		if !errors.Is(err, installer.ErrBusy) || e.Now().Sub(began) > passing {
			return lock, err
		}
		if led, unread := ledger.Read(e.Layout); unread != nil || led.Open != nil {
			return nil, err
		}
		if e.Pause(ctx, 100*time.Millisecond) != nil {
			return nil, err
		}
	}
}

// refuseOrPostpone answers while another updater holds the lock. A watch without the service ends for the new request; a command
// that is in the ledger already was taken before.
func (e *Engine) refuseOrPostpone(r ledger.Request, say func(string)) error {
	led, err := ledger.Read(e.Layout)
	switch {
	case err == nil && led.HasAccepted(r):
		ledger.Withdraw(e.Layout, r.ID)
		say(answerTaken + " " + r.ID)
		return nil
	case err == nil && led.Open != nil && led.Open.OutOfReach && r.Explicit():
		if _, err := ledger.Deposit(e.Layout, r, ledger.ForLater); err != nil {
			say(answerRefused + " " + err.Error())
			return err
		}
		say(answerTaken + " " + r.ID)
		return nil
	}
	say(answerBusy)
	return ErrBusy
}

// checkInstance looks whether the ledger belongs to this instance. Under another id the answers of the old one are not waited for.
func (e *Engine) checkInstance(b *ledger.File) {
	id, err := e.Identity()
	if err != nil || id == "" {
		return
	}
	if b.InstanceID == id {
		return
	}
	if b.InstanceID != "" {
		e.Log.Warn("this is another instance now: the replies of the old one are dropped", "was", b.InstanceID, "is", id)
		b.Owed, b.Accepted = nil, nil
		if b.Open != nil {
			b.Open.Request.ReplyTo = nil
		}
	}
	b.InstanceID = id
	if err := b.Save(true); err != nil {
		e.Log.Error("cannot write the update record", "error", err)
	}
}

// accept makes sure the request outlives this process: in the ledger, or, behind an update that is still open, in its folder.
func (e *Engine) accept(b *ledger.File, r ledger.Request) error {
	if b.Open != nil {
		_, err := ledger.Deposit(e.Layout, r, ledger.ForLater)
		return err
	}
	return b.Enter(r, e.Now())
}

// serve works off what is open, then what waits, and returns the outcome of the request asked for.
func (e *Engine) serve(ctx context.Context, b *ledger.File, r ledger.Request) (*ledger.Outcome, error) {
	defer e.sendOwedUnlessEnding(ctx, b)
	if b.Open != nil && b.Open.ID != r.ID {
		if err := e.closeOpen(ctx, b, r); err != nil {
			return nil, leftOpen(err)
		}
	} else if b.Open != nil {
		if err := e.newWork(b).walk(ctx, ledger.StopAsk); err != nil {
			return nil, leftOpen(err)
		}
	}
	if err := e.serveWaiting(ctx, b); err != nil {
		return nil, leftOpen(err)
	}
	if b.Last != nil && b.Last.ID == r.ID {
		return b.Last, nil
	}
	return nil, nil
}

// closeOpen brings an open update to its end, so that a newer request may follow. One that only waits for the next start is undone.
func (e *Engine) closeOpen(ctx context.Context, b *ledger.File, r ledger.Request) error {
	if _, running := e.System.Launcher(); b.Open.NextStart && !running && r.Explicit() {
		w := e.newWork(b)
		return w.undone(
			ctx,
			&failure{code: codeRolledBack, fault: fault.Superseded, text: w.trialText("a newer request came before it was started")},
		)
	}
	if b.Open.Pending() && r.Explicit() {
		return e.giveWay(ctx, b)
	}
	return e.goOn(ctx, b)
}

// serveWaiting works off the requests that were handed over and are in no ledger yet.
func (e *Engine) serveWaiting(ctx context.Context, b *ledger.File) error {
	for _, r := range ledger.Waiting(e.Layout, e.Now()) {
		if ctx.Err() != nil || b.Open != nil {
			return nil
		}
		if err := b.Enter(r, e.Now()); err != nil {
			return err
		}
		if b.Open == nil {
			continue
		}
		if err := e.newWork(b).walk(ctx, ledger.StopAsk); err != nil {
			return err
		}
	}
	return nil
}

// runDeferred does what no caller should wait for, when the lock is free again.
func (e *Engine) runDeferred() {
	for _, f := range e.deferred {
		f()
	}
	e.deferred = nil
}

// leftOpen is nil for an update that waits for the next start or the next updater.
func leftOpen(err error) error {
	if errors.Is(err, errLeave) {
		return nil
	}
	return err
}
