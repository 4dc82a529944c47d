package updater

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/store"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/watch"
)

// switchVersion is the sixth stop, the switch: one write of the pointer; then the running agent is asked to leave, and the launcher
// starts what the pointer names.
func (w *work) switchVersion(ctx context.Context) error {
	state, err := w.store.Read()
	if err != nil {
		return fmt.Errorf("read which version is active: %w", err)
	}
	floor, err := w.System.Floor()
	if err != nil {
		return err
	}
	if err := w.stillRunning(w.running(state, floor)); err != nil {
		return err
	}
	if err := w.baseline(ctx, state, floor.String()); err != nil {
		return err
	}
	w.u.From, w.u.FromPrevious, w.u.FromSequence = state.Active, state.Previous, state.Sequence
	if w.u.Sequence, err = w.store.Prepare(w.u.Sequence); err != nil {
		return w.badInstall(fmt.Errorf("prepare the switch: %w", err))
	}
	if err := w.ledger.Save(true); err != nil {
		return err
	}
	if w.crash("before the pointer") {
		return ErrCrashed
	}
	running, _ := w.System.Agent()
	_, err = w.store.Switch(
		store.Change{From: state.Sequence, Sequence: w.u.Sequence, To: w.u.To, Probation: !w.u.Known, Floor: floor.String()},
	)
	if err != nil {
		return w.badInstall(err)
	}
	w.switched = true
	if w.crash("after the pointer") {
		return ErrCrashed
	}
	if !w.u.Known || !w.runsAlready(w.u.To, w.u.ToVersion.String()) {
		w.stopAgent(ctx, running) // and no other: one that came since is of the new pointer
	}
	return nil
}

// runsAlready reports whether the agent at work is a target's, which a launcher that gave up another version has started: it stays.
func (w *work) runsAlready(to pointer.Target, version string) bool {
	pid, running := w.System.Agent()
	p, ok := w.pulse()
	return ok && running && pid == p.PID && watch.Runs(p, to, version)
}

// baseline is how the host was before: a new version has to do as well, not better.
func (w *work) baseline(ctx context.Context, state pointer.State, floor string) error {
	id, err := w.Identity()
	w.u.Registered = err == nil && id != ""
	if w.u.Known && w.u.Request.Explicit() {
		return nil // no probation, so nothing to compare with
	}
	w.u.Reachable = w.u.Registered && w.probe(ctx) == nil
	if w.u.Registered && !w.u.Reachable && !w.u.Request.Explicit() {
		return &ending{w.outcome(ledger.Postponed)}
	}
	p, alive := w.pulse()
	if w.u.Lanes = nil; alive && w.u.Registered {
		w.u.Lanes = watch.Answering(p, w.Now())
	}
	if alive && (!p.LastRoundTrip.IsZero() || !w.u.Registered) && watch.Runs(p, state.Active, floor) {
		w.ledger.NoteConfirmed(w.running(state, w.u.FromVersion), state.Active.Hash, w.Now())
	}
	return nil
}

// fresh bounds the age of a pulse that counts, for a process that does not hold the agent lock.
const fresh = time.Minute

// pulse is the running agent's sign of life, of this boot and not old.
func (w *work) pulse() (installer.Pulse, bool) {
	p, err := installer.ReadPulse(w.Layout.Pulse())
	if err != nil || (w.System.Boot != "" && p.BootID != "" && p.BootID != w.System.Boot) {
		return p, false
	}
	if pid, running := w.System.Agent(); running && pid == p.PID {
		return p, true
	}
	return p, w.Now().Sub(p.At).Abs() < fresh
}

// probe is one round trip to the service by the updater itself.
func (w *work) probe(ctx context.Context) error {
	if w.Probe == nil {
		return errors.New("no service")
	}
	ctx, cancel := context.WithTimeout(ctx, briefly)
	defer cancel()
	return w.Probe(ctx)
}

// stopAgent has one process leave, the agent that was judged; 0: none was. One that cannot be reached or ended is seen by the watch.
func (w *work) stopAgent(ctx context.Context, pid int) {
	if pid == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*leaveWithin)
	defer cancel()
	if err := w.System.StopAgent(ctx, pid); err != nil {
		w.Log.Warn("cannot stop the running agent", "error", err)
	}
}

// undoSwitch undoes the switch: tokens, agent, pointer, in this order, so that no moment of it can start the new version again while
// there is another. Without a probation the pointer alone says what runs. A launcher that gave the new version up runs the old one
// by itself: that agent stays, for under this pointer its end would count as a death, and be waited after.
func undoSwitch(w *work, ctx context.Context) error {
	if w.u.Sequence == 0 {
		return nil
	}
	state, err := w.store.Read()
	if err != nil {
		return err
	}
	if state.Sequence != w.u.Sequence || state.Active != w.u.To {
		return nil // never written, or back already
	}
	soon, cancel := context.WithTimeout(ctx, 2*time.Second)
	w.health(soon, baseRollback)
	cancel()
	if !state.Probation {
		return w.undoKnownSwitch(ctx, state)
	}
	if err := w.store.DropTokens(state.Sequence); err != nil {
		return err
	}
	if w.crash("after the tokens") {
		return ErrCrashed
	}
	w.stopAgent(ctx, w.onTrial(state))
	_, err = w.store.Back(state.Sequence, w.u.FromPrevious)
	return err
}

// onTrial is the process of the agent at work if it runs the version on trial, or if nothing tells that it runs another; else 0.
func (w *work) onTrial(state pointer.State) int {
	pid, running := w.System.Agent()
	if !running {
		return 0
	}
	if program, err := w.System.Program(pid); err == nil && sameFile(program, w.store.Paths.File(w.u.To)) {
		return pid
	} else if err == nil || w.fellBack(state) {
		return 0
	}
	return pid
}

// sameFile reports whether two paths are one file.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// fellBack reports whether the agent that runs is the version to go back to, started by a launcher that gave up the new one.
func (w *work) fellBack(state pointer.State) bool {
	pid, running := w.System.Agent()
	p, ok := w.pulse()
	to := state.Previous
	if to.IsZero() {
		to = pointer.OnFloor()
	}
	return ok && running && pid == p.PID && p.Sequence == state.Sequence && to != w.u.To && watch.Runs(p, to, w.u.FromVersion.String()) &&
		!watch.Runs(p, w.u.To, w.u.ToVersion.String())
}

// undoKnownSwitch returns from a version that was confirmed before and yet does not run now.
func (w *work) undoKnownSwitch(ctx context.Context, state pointer.State) error {
	next, err := w.store.Prepare(w.u.Sequence)
	if err != nil {
		return err
	}
	running, _ := w.System.Agent()
	_, err = w.store.Switch(store.Change{From: state.Sequence, Sequence: next, To: w.u.From, Floor: state.Floor})
	if err == nil && !w.runsAlready(w.u.From, w.u.FromVersion.String()) {
		w.stopAgent(ctx, running)
	}
	return err
}
