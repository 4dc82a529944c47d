package takeover

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// settle leaves what belongs to the agent that runs: of ours, an entry in its record of updates; of the original, no trace of ours.
func (w *work) settle(ctx context.Context) error {
	w.cleanUp()
	running, err := manifests.ParseVersion(w.r.Running)
	switch {
	case err != nil:
		return nil //nolint:nilerr // it is not known what runs
	case !IsOriginal(running):
		if w.Arrived != nil {
			if err := w.Arrived(ctx); err != nil {
				w.Log.Warn("the timer of the original agent is left", "error", err) // it takes itself away when it runs
			}
		}
		return w.note(running)
	case w.r.To == nil:
		return nil // nothing was exchanged
	case w.Forget != nil && !(original(w.r.Order.Source) && original(w.r.To.Version)):
		return errors.Join(w.Forget(), w.Layout.MakeOwn(installer.OwnTakeover, "lock"))
	}
	return nil
}

// note has `ssm-setup status` and the next updater know of the exchange.
func (w *work) note(running manifests.Version) error {
	b, err := ledger.Open(w.Layout)
	if err != nil {
		return err
	}
	o := ledger.Outcome{ID: w.r.ID, Why: w.r.Why, Want: w.r.Order.Target, Kind: ledger.Updated, Success: w.r.Result == success, Code: w.r.Code,
		RunningVersion: running, Lines: w.r.Lines, Reason: w.r.Reason, Region: w.Region, Started: w.r.Began, Ended: w.Now()}
	o.FromVersion, _ = manifests.ParseVersion(w.r.Order.Source)
	o.ToVersion, _ = manifests.ParseVersion(w.target())
	switch {
	case !o.Success && w.r.Sub != subInstall && w.r.Sub != subVerify: // nothing was changed that had to be taken back
		o.Kind = ledger.FailedKind
	case !o.Success:
		o.Kind = ledger.RolledBack
	case w.r.To == nil && w.r.Code != "":
		o.Kind = string(manifests.StatusSkipped)
	case w.r.To == nil:
		o.Kind = string(manifests.UpToDate)
	}
	b.Last = &o
	return b.Save(true)
}

// cleanUp removes what the exchange needed on its way (docs/protocol/update.md, "Clean-up after an update").
func (w *work) cleanUp() {
	keep := w.r.Order.Source
	if w.r.Result == success && w.r.To != nil {
		keep = w.r.To.Version
	}
	w.keepOnly(filepath.Join(w.Layout.UpdateRoot(), agentPackage), keep)
	w.keepOnly(filepath.Join(w.Layout.UpdateRoot(), manifests.UpdaterPackage), stamp.Version())
	for _, dir := range []string{filepath.Join(w.Layout.Download(), "update"), filepath.Join(w.Layout.Logs(), "download", "update")} {
		if err := os.RemoveAll(dir); err != nil {
			w.Log.Warn("cannot remove downloads", "error", err)
		}
	}
}

func (w *work) keepOnly(dir, name string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() == name {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			w.Log.Warn("cannot remove an old version", "error", err)
		}
	}
}

// keeperOut removes the record and then the keeper: a keeper without one takes itself out at the next boot.
func (w *work) keeperOut(ctx context.Context) error {
	w.unlock()
	if original(w.r.Running) {
		w.dropFolderLocks()
	}
	if err := w.takeOut(ctx); err != nil {
		if r, unread := ReadRecord(w.Layout); r != nil || unread != nil {
			return err
		}
		w.Log.Warn("something of the exchange is left", "error", err) // without a record it means nothing
	}
	return errDone
}

// dropFolderLocks removes the folders that agent and updater of ours lock, from a host that has neither. Each is removed with its lock in
// hand, so no holder loses it.
func (w *work) dropFolderLocks() {
	p := w.Layout.Pointer()
	for _, dir := range []string{p.UpdaterLock(), p.AgentLock()} {
		lock, _, err := host.TryLock(dir)
		if err == nil && lock == nil || err != nil && !errors.Is(err, errors.ErrUnsupported) {
			continue // another process has it, or it is not there
		}
		_ = os.Remove(dir)
		lock.Release()
	}
	_ = os.Remove(filepath.Dir(p.UpdaterLock())) // if nothing else is in it
}

func (w *work) takeOut(ctx context.Context) error {
	if err := dropRecord(w.Layout); err != nil {
		return err
	}
	m, ok := managerNamed(w.System.Manager)
	if ok {
		for _, c := range m.remove {
			if _, code, err := w.System.Run(ctx, "", time.Minute, c...); err != nil || code != 0 {
				w.Log.Info("the keeper is not taken out", "command", c, "code", code, "error", err)
			}
		}
		if err := os.Remove(filepath.Join(w.System.Root+"/", m.file)); m.file != "" && err != nil && !errors.Is(err, fs.ErrNotExist) {
			w.left = w.Layout.DropOwn(installer.OwnTakeover) != nil
			return err
		}
	}
	w.left = w.Layout.DropOwn(installer.OwnTakeover) != nil
	return nil
}
