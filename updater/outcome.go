package updater

import (
	"fmt"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Codes of the original that are not among those of a decision (docs/protocol/update.md, "Error codes").
const (
	codeUnexpected = "ErrorUnexpected"
	codeRolledBack = "ErrorUpdateFailRollbackSuccess"
	codeNotStarted = "ErrorCannotStartService"
)

// product is the package's name in texts.
func (w *work) product() string {
	if w.u.Request.Package != "" {
		return w.u.Request.Package
	}
	return manifests.AgentPackage
}

// outcome starts one of a kind, with the texts of the kinds that need no more than the ledger.
func (w *work) outcome(kind string) ledger.Outcome {
	o := ledger.Outcome{ID: w.u.ID, Why: w.u.Request.Why, Want: w.u.Request.Want, Kind: kind, Success: true, FromVersion: w.u.FromVersion,
		ToVersion: w.u.ToVersion, RunningVersion: w.u.FromVersion, Region: w.u.Region, Source: fault.Redact(w.u.Source),
		Lines: w.u.Lines, Trust: w.u.Trust, Overrode: w.u.Overrode, Download: w.u.Package.Download(), Started: w.u.Started,
		Newer: w.u.Newer}
	if say, ok := descriptions()[kind]; ok {
		say(w, &o)
	}
	for _, n := range w.u.Notes {
		o.Detail += "\n" + n
	}
	return o
}

// descriptions has one row per kind of ours.
func descriptions() map[string]func(*work, *ledger.Outcome) {
	return map[string]func(*work, *ledger.Outcome){
		ledger.Updated: describeUpdated, ledger.WentBack: describeWentBack, ledger.RolledBack: describeRolledBack,
		ledger.FailedKind: describeFailed,
		ledger.Postponed:  describePostponed, ledger.NoPrevious: describeNoPrevious,
	}
}

func describeUpdated(w *work, o *ledger.Outcome) {
	o.RunningVersion = o.ToVersion
	o.AddLine("%v updated successfully to %v", w.product(), o.ToVersion)
	o.Detail = fmt.Sprintf("%s runs and is confirmed in region %s; %s is kept for a rollback", o.ToVersion, o.Region, o.FromVersion)
	if w.u.Known {
		o.Detail = fmt.Sprintf("%s, which was confirmed on this host before, runs again in place of %s", o.ToVersion, o.FromVersion)
	}
}

func describeWentBack(w *work, o *ledger.Outcome) {
	o.RunningVersion = o.ToVersion
	o.AddLine("rolledback %v to %v", w.product(), o.ToVersion)
	o.Detail = fmt.Sprintf("rolled back from %s to %s; scheduled updates skip %s for a while", o.FromVersion, o.ToVersion, o.FromVersion)
}

func describeRolledBack(w *work, o *ledger.Outcome) {
	o.Success, o.Code, o.Fault, o.Reason = false, w.u.Code, w.u.Fault, w.u.Reason
	o.AddLine("%s", w.u.Reason)
	o.AddLine("Initiating rollback %v to %v", w.product(), o.FromVersion)
	o.AddLine("rolledback %v to %v", w.product(), o.FromVersion)
	o.Lines = append(o.Lines, w.failedLines()[0])
	o.Detail = fmt.Sprintf(
		"%s did not become healthy on this host; %s runs again, and %s is blocked here: only an update that names it installs it",
		o.ToVersion,
		o.FromVersion,
		o.ToVersion,
	)
	switch {
	case w.u.Fault == fault.Superseded:
		o.Detail = fmt.Sprintf("the update to %s gave way to a newer request; %s runs again", o.ToVersion, o.FromVersion)
	case w.u.Fault != fault.RolledBack || w.u.HostFault:
		o.Detail = fmt.Sprintf("%s could not be tried on this host, which was in the way itself; %s runs again, and the next update tries %s anew",
			o.ToVersion, o.FromVersion, o.ToVersion)
	case w.u.Blameless && w.ledger.TriesLeft(o.ToVersion):
		o.Detail = fmt.Sprintf(
			"%s could not be confirmed on this host, which may not be its own fault; %s runs again, and the next update tries %s anew",
			o.ToVersion, o.FromVersion, o.ToVersion)
	}
}

func describeFailed(w *work, o *ledger.Outcome) {
	o.Success, o.Code, o.Fault, o.Reason = false, w.u.Code, w.u.Fault, w.u.Reason
	o.AddLine("%s", w.u.Reason)
	o.Lines = append(o.Lines, w.failedLines()...)
	o.Detail = fmt.Sprintf("nothing was changed: %s keeps running", o.FromVersion)
	if o.FromVersion.IsZero() { // it did not come as far as to look
		o.Detail = "nothing was changed"
	}
	o.Hints = hints(o.Fault)
}

func describePostponed(w *work, o *ledger.Outcome) {
	o.AddLine("update skipped")
	o.Detail = fmt.Sprintf("this host cannot reach the service at present, so %s could not be confirmed: postponed", o.ToVersion)
}

func describeNoPrevious(w *work, o *ledger.Outcome) {
	o.Success, o.Fault = false, fault.Refused
	o.Reason = "there is no version to go back to"
	o.AddLine("there is no version of %v to go back to", w.product())
	o.Detail = fmt.Sprintf("%s is all this host has; to get an older one: ssm-setup update --version V --allow-downgrade", o.FromVersion)
}

// failedLines end the reply of an update that failed before anything was changed.
func (w *work) failedLines() []string {
	lines := []string{"No rollback needed"}
	if !w.u.ToVersion.IsZero() {
		lines = append([]string{fmt.Sprintf("Failed to update %v to %v", w.product(), w.u.ToVersion)}, lines...)
	}
	return lines
}

// hints are the next step for a kind of failure.
func hints(kind fault.Kind) []string {
	if hint := kind.Hint(); hint != "" {
		return []string{hint}
	}
	return nil
}
