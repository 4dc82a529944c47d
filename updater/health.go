package updater

import (
	"context"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Words of health statuses (docs/protocol/update.md, "Health status").
const (
	baseInitialized = "UpdateInitialized"
	baseRollback    = "RollingBack"
	baseRolledBack  = "RollBackCompleted"
	baseSucceeded   = "UpdateSucceeded"
	baseFailed      = "UpdateFailed"
	rollbackMark    = "VerificationRollback_"
)

// noAlarm are the codes behind which nothing is wrong with agent or host.
func noAlarm(code string) bool {
	switch code {
	case "ErrorUnsupportedServiceManager", manifests.CodeDowngrade, manifests.CodePrecondition, "ErrorFailedLinksCheck",
		"ErrorInstallFailedDueToSnapd":
		return true
	}
	return false
}

// status is <base>[_SelfUpdate][_<sub-status><code>][-<target>][-NoAlarm].
func status(base string, scheduled bool, sub, code, target string) string {
	s := base
	if scheduled {
		s += "_SelfUpdate"
	}
	if code != "" {
		s += "_" + sub + code
	}
	if target != "" {
		s += "-" + target
	}
	if sub == "" && noAlarm(code) {
		s += "-NoAlarm"
	}
	return s
}

// statusOf is the status of an outcome.
func statusOf(o ledger.Outcome) string {
	base, sub := baseSucceeded, ""
	if !o.Success {
		base = baseFailed
	}
	if o.Kind == ledger.RolledBack {
		sub = rollbackMark
	}
	return status(base, o.Why == ledger.ByTimer, sub, o.Code, o.ToVersion.String())
}

// health tells the service how far the update is; a failure to tell is no failure.
func (w *work) health(ctx context.Context, base string) {
	if w.Reporter.Health == nil {
		return
	}
	target, sub, code := w.u.ToVersion.String(), "", ""
	if base == baseInitialized && target == "" {
		if target = w.u.Request.Want; target == "" {
			target = "None"
		}
	}
	if w.u.Undoing {
		sub, code = rollbackMark, w.u.Code
	}
	version := w.u.FromVersion.String()
	if version == "" {
		version = w.Settings.Agent.Version
	}
	if err := w.Reporter.Health(ctx, status(base, w.u.Request.Why == ledger.ByTimer, sub, code, target), version); err != nil {
		w.Log.Info("cannot send the health status", "status", base, "error", err)
	}
}

// healthOf tells the service the outcome of an update that owes no answer. Unlike the original's, which names the version before,
// final statuses name the version that runs: so the service does not show the old one until the next ping.
func (w *work) healthOf(ctx context.Context, o ledger.Outcome) {
	if w.Reporter.Health == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), briefly)
	defer cancel()
	if err := w.Reporter.Health(ctx, statusOf(o), o.RunningVersion.String()); err != nil {
		w.Log.Info("cannot send the health status", "error", err)
	}
}
