package updater

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// watch is the seventh stop. The updater, not the agent, decides whether the new version proved itself; see trial for the rules.
// Whenever the deciding is not its own (no launcher, this process is asked to end) it leaves everything for resume.
func (w *work) watch(ctx context.Context) error {
	if w.u.Known {
		return w.awaitKnown(ctx)
	}
	pause := min(installer.BeatPeriod(w.Settings.Watch)/2, 500*time.Millisecond)
	clock := awake{now: w.Now(), most: 2 * pause}
	t := newTrial(w, clock.now)
	ask := asking{answer: make(chan error, 1)}
	defer ask.end()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	renew, told := clock.now, clock.now
	for {
		at := w.Now()
		now := clock.look(at)
		ask.goOn(ctx, w, t, now)
		v, reason := t.see(w.look(now))
		switch v {
		case sound:
			if err := w.stillRegistered(); err == nil {
				return nil
			} else if now.Sub(t.began) >= deadline(w.Settings.Watch) {
				return w.failTrial("it cannot read the registration: " + err.Error())
			}
		case unsound:
			return w.failTrial(reason + w.howItDied())
		case again:
			w.stopAgent(ctx)
		case deserted:
			if !w.revive() {
				return w.leaveForNextStart()
			}
			t.revived(now)
		}
		if deaf := t.deaf(now); deaf != w.u.OutOfReach || at.Sub(told) > 30*time.Second {
			told, w.u.OutOfReach, w.u.Moved = at, deaf, at
			_ = w.ledger.save(false)
		}
		if w.u.OutOfReach && w.superseded() {
			return &failure{code: codeRolledBack, fault: FaultSuperseded, text: w.trialText("a newer request came while the service was out of reach")}
		}
		if at.Sub(renew) > 10*time.Minute {
			renew = at
			w.renew()
		}
		if w.Pause(ctx, pause) != nil {
			return errLeave
		}
	}
}

// awake is a clock of the time in which the updater itself was able to look: one that stood still (a stopped container, a machine
// that has other things to do) has seen no silence. From one look to the next it moves twice the pause between them, at most.
type awake struct {
	now  time.Time
	most time.Duration
	seen time.Time // the real time of the last look
}

func (a *awake) look(at time.Time) time.Time {
	if !a.seen.IsZero() {
		a.now = a.now.Add(min(max(at.Sub(a.seen), 0), a.most))
	}
	a.seen = at
	return a.now
}

// look sees what there is to be seen.
func (w *work) look(now time.Time) look {
	l := look{now: now}
	l.launcher, l.running = w.System.Launcher()
	if pid, running := w.System.Agent(); running {
		l.agent = pid
	}
	p, err := installer.ReadPulse(w.Layout.Pulse())
	l.pulse = p
	l.legible = err == nil && (w.System.Boot == "" || p.BootID == "" || p.BootID == w.System.Boot)
	l.untried = pointer.Tokens(w.store.Paths, w.u.Sequence) == len(pointer.TokenNames())
	return l
}

// asking is the updater's own attempts to reach the service, beside the watch, for as long as they matter.
type asking struct {
	answer chan error
	open   bool
	next   time.Time
}

// end waits for the attempt under way, which was called off.
func (a *asking) end() {
	if a.open {
		<-a.answer
	}
}

// goOn takes an answer, and asks again when it is time.
func (a *asking) goOn(ctx context.Context, w *work, t *trial, now time.Time) {
	select {
	case err := <-a.answer:
		t.probed(now, err)
		a.open, a.next = false, now.Add(max(w.Settings.Watch/3, 300*time.Millisecond))
	default:
	}
	if a.open || !t.trip || t.round || now.Before(a.next) {
		return
	}
	a.open, w.probed = true, true
	go func() { a.answer <- w.probe(ctx) }()
}

// stillRegistered looks whether the registration can be read, where there was one before.
func (w *work) stillRegistered() error {
	if !w.u.Registered {
		return nil
	}
	id, err := w.Identity()
	if err == nil && id == "" {
		err = errors.New("there is none any more")
	}
	return err
}

// mostRevivals is how many launchers one watch starts before it leaves the update to the next start.
const mostRevivals = 3

// revive starts a launcher that was killed in the moment between two agents: no agent is there that could, and without a service
// manager nobody else would. False where there is nothing to revive.
func (w *work) revive() bool {
	if w.System.Revive == nil || w.revived >= mostRevivals {
		return false
	}
	w.revived++
	pid, err := w.System.Revive()
	switch {
	case err != nil:
		w.Log.Error("launcher not started", "error", err)
	case pid != 0:
		w.Log.Warn("the launcher is gone: started another", "pid", pid)
	}
	return err == nil && pid != 0
}

// leaveForNextStart leaves the update to the next start of the service.
func (w *work) leaveForNextStart() error {
	w.u.NextStart, w.u.Moved = true, w.Now()
	if err := w.ledger.save(true); err != nil {
		return err
	}
	w.Log.Info("no launcher runs: the update takes effect at the next start")
	return errLeave
}

func (w *work) superseded() bool {
	for _, r := range waiting(w.Layout, w.Now()) {
		if r.Explicit() {
			return true
		}
	}
	return false
}

// renew tells originals that the update lock still counts.
func (w *work) renew() {
	if w.lock == nil {
		return
	}
	if err := w.lock.Renew(); err != nil {
		w.Log.Warn("cannot renew the update lock", "error", err)
	}
}

func (w *work) failTrial(reason string) error {
	return &failure{code: codeRolledBack, fault: FaultRolledBack, text: w.trialText(reason)}
}

func (w *work) trialText(reason string) string {
	return fmt.Sprintf("failed to update %v to %v, failed to start the agent, ErrorMessage=%v", w.product(), w.u.ToVersion, reason)
}

// howItDied is how the version under trial died, as the launcher saw it; empty when it did not.
func (w *work) howItDied() string {
	how, died := w.died(w.u.Sequence, w.u.ToVersion.String())
	if !died {
		return ""
	}
	return fmt.Sprintf(" (its process ended: %s)", how)
}

// awaitKnown waits for life in a version that was confirmed here before; it needs no service for that.
func (w *work) awaitKnown(ctx context.Context) error {
	err := w.alive(ctx, w.u.ToVersion.String())
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errNobody):
		return w.leaveForNextStart()
	case errors.Is(err, errLeave):
		return err
	}
	return w.failTrial(err.Error())
}
