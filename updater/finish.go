package updater

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// finish is the last stop: it confirms what proved itself, writes the outcome into the ledger and the answer to what is owed, in
// one record, and then sends the answer.
func (w *work) finish(ctx context.Context) error {
	o, err := w.conclude(ctx)
	if err != nil {
		return err
	}
	o.Ended = w.Now()
	w.record(o)
	owed, err := w.answer(o)
	if err != nil {
		return err
	}
	if err := ledger.NoteDecision(w.Layout, ledger.DecisionOf(o, statusOf(o))); err != nil {
		w.Log.Warn("cannot write the history of decisions", "error", err)
	}
	w.cleanUp() // before the record is closed: what a crash leaves after that would stay until the next update
	b := w.ledger
	b.Last, b.Open = &o, nil
	if owed != nil {
		b.NoteOwed(*owed)
	}
	if err := b.Save(true); err != nil {
		b.Open = w.u
		return err
	}
	w.Log.Info("update ended", "result", o.Kind, "code", o.Code, "running", o.RunningVersion.String(), "reason", o.Reason)
	if w.crash("after the outcome") {
		return ErrCrashed
	}
	w.appendOutput(ctx, o, owed)
	w.sendOwed(ctx, b)
	if owed == nil {
		w.deferred = append(w.deferred, func() { w.healthOf(ctx, o) })
	}
	return nil
}

// conclude decides the outcome, and confirms.
func (w *work) conclude(ctx context.Context) (ledger.Outcome, error) {
	switch {
	case w.end != nil:
		return *w.end, nil
	case w.u.Undoing:
		return w.concludeUndone(ctx)
	}
	state, err := w.store.Read()
	if err != nil {
		return ledger.Outcome{}, err
	}
	if state.Probation && state.Sequence == w.u.Sequence {
		if _, err := w.store.Confirm(w.u.Sequence); err != nil {
			return ledger.Outcome{}, fmt.Errorf("confirm %s: %w", w.u.ToVersion, err)
		}
		if w.crash("after the confirmation") {
			return ledger.Outcome{}, ErrCrashed
		}
	}
	w.reportVersion(ctx)
	if w.u.Request.GoesBack() {
		return w.outcome(ledger.WentBack), nil
	}
	return w.outcome(ledger.Updated), nil
}

// concludeUndone tells a failure before the switch from a rollback, and looks whether the old version is alive.
func (w *work) concludeUndone(ctx context.Context) (ledger.Outcome, error) {
	state, err := w.store.Read()
	if err != nil {
		return ledger.Outcome{}, err
	}
	if w.u.Sequence == 0 || state.Sequence <= w.u.Sequence {
		return w.outcome(ledger.FailedKind), nil
	}
	soon, cancel := context.WithTimeout(ctx, briefly)
	w.health(soon, baseRolledBack)
	cancel()
	o := w.outcome(ledger.RolledBack)
	switch err := w.alive(ctx, w.u.FromVersion.String()); {
	case err == nil:
		w.reportVersion(ctx)
	case errors.Is(err, errNoLauncher):
	case errors.Is(err, errLeave):
		return ledger.Outcome{}, err
	default:
		o.Code, o.Fault = codeNotStarted, fault.Unhealthy
		o.Lines = append(w.u.Lines, w.u.Reason, fmt.Sprintf("failed to rollback %v to %v, failed to start the agent, ErrorMessage=%v",
			w.product(), w.u.FromVersion, err))
		o.Detail = fmt.Sprintf(
			"%s did not become healthy, and %s is slow to start again: see the logs, and ssm-setup status",
			w.u.ToVersion,
			w.u.FromVersion,
		)
	}
	return o, nil
}

// reportVersion has the service know the version that runs. What the watch asked it named the version that ran then, and may have arrived
// after the first ping of the agent that runs now, whose next one is minutes away.
func (w *work) reportVersion(ctx context.Context) {
	if !w.probed {
		return
	}
	if err := w.probe(ctx); err != nil {
		w.Log.Info("cannot name the version that runs", "error", err)
	}
}

// record keeps what later updates should know.
func (w *work) record(o ledger.Outcome) {
	b, now := w.ledger, w.Now()
	switch o.Kind {
	case ledger.Updated, ledger.WentBack:
		if !w.u.To.IsZero() {
			b.NoteConfirmed(o.ToVersion, w.u.To.Hash, now)
		}
		b.Unblock(o.ToVersion)
		if o.Kind == ledger.WentBack {
			b.Block(o.FromVersion, fmt.Sprintf("rolled back from it to %s", o.ToVersion), true, now)
		}
	case ledger.RolledBack:
		switch {
		case w.u.Fault != fault.RolledBack || w.u.HostFault: // it gave way, or this machine was in the way: no doing of the version
		case w.u.Blameless && b.TriesLeft(o.ToVersion):
			b.NoteTried(o.ToVersion)
		default:
			b.Block(o.ToVersion, o.Reason, false, now)
		}
	}
}

// appendOutput adds the text to the step's output file, where there is one, and brings the files to the command's bucket. The answer
// that is owed says then where they are, or that they are not there; a crash before that leaves an answer that names no bucket.
func (w *work) appendOutput(ctx context.Context, o ledger.Outcome, owed *ledger.Owed) {
	to := w.u.Request.ReplyTo
	if to == nil || to.Stdout == "" {
		return
	}
	f, err := os.OpenFile(to.Stdout, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return
	}
	_, err = f.WriteString(o.Text())
	if err = errors.Join(err, f.Close()); err != nil {
		w.Log.Warn("cannot append to the step's output", "error", err)
	}
	if to.Bucket == "" || w.Reporter.Upload == nil || owed == nil {
		return
	}
	if err := w.upload(ctx, to); err != nil {
		w.Log.Warn("cannot upload the step's output", "error", err)
		to.Note += fmt.Sprintf("\nThe S3 bucket %s does not have all of the output: %.300s.\n", to.Bucket, err)
	}
	again, err := w.answer(o)
	if err != nil {
		w.Log.Warn("the answer says nothing of the bucket", "error", err)
		return
	}
	for i := range w.ledger.Owed {
		if w.ledger.Owed[i].ReplyID == owed.ReplyID {
			w.ledger.Owed[i].Payload = again.Payload
		}
	}
}

// upload puts the step's files that are not empty.
func (w *work) upload(ctx context.Context, to *ledger.ReplyTo) (failed error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for name, file := range map[string]string{"stdout": to.Stdout, "stderr": to.Stderr} {
		if info, err := os.Stat(file); err != nil || info.Size() == 0 {
			continue
		}
		err := w.Reporter.Upload(ctx, to.Bucket, to.Prefix+"/"+name, file)
		w.uploaded = w.uploaded || err == nil
		failed = errors.Join(failed, err)
	}
	return failed
}

// cleanUp removes what the update needed on its way. A part of a download stays for the next try.
func (w *work) cleanUp() {
	w.verified.close() // Windows removes nothing that is open
	if _, err := w.store.Collect(); err != nil {
		w.Log.Warn("cannot remove old versions", "error", err)
	}
	var keep []string
	if w.u.Fault == fault.Region || w.u.Fault == fault.Superseded {
		keep = []string{w.u.Package.SHA256.String() + ".tar.gz.part"}
		if d := w.u.Package.Delta; d != nil {
			keep = append(keep, d.SHA256.String()+".delta.part", d.SHA256.String()+".delta")
		}
	}
	entries, _ := os.ReadDir(w.cache())
	for _, e := range entries {
		if !slices.Contains(keep, strings.TrimSuffix(e.Name(), ".etag")) {
			_ = os.RemoveAll(filepath.Join(w.cache(), e.Name()))
		}
	}
}
