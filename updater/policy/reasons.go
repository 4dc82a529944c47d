package policy

import (
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Reasons of this room, in [Verdict.Reason].
const (
	OnHold          = "on-hold"
	OutsideVersions = "outside-versions"
	CoolingDown     = "cooling-down"
	OutsideWindow   = "outside-window"
	Unreadable      = "policy-unreadable"
)

// Reasons of the updater's plan that are neither a kind of [manifests.Kind] nor one of updater/ledger.
const (
	NotRunning = "not-the-version" // --if-running names another version than the one that runs
	BelowFloor = "below-floor"     // older than the oldest version that the signed index allows
	// PackageNeeded: the region's index wants a newer package, or updater, than the host has.
	PackageNeeded = "package-needed"
)

// Reasons of the schedule, for what a host would do by itself (codes of updater/schedule).
const (
	Halted = "halted"
	NotYet = "not-yet"
)

// Reason is a row of the table: how a decision is told, here and to the service. Code never changes.
type Reason struct {
	Code     string // also the kind of an outcome
	Success  bool   // the reply's result where the request names no version
	Status   string // the original's status word for it (docs/protocol/update.md, "Health status")
	Original string // the original's error code (docs/protocol/update.md, "Error codes"); empty: none, or that of the cause
	Means    string // for people
}

// Words of the original.
const (
	succeeded = "UpdateSucceeded"
	failed    = "UpdateFailed"
)

// Reasons is the table of all reasons that a decision or an outcome can have. Rows are only ever added.
func Reasons() []Reason {
	return []Reason{
		{string(manifests.UpToDate), true, succeeded, "", "the version that is wanted runs"},
		{string(manifests.Upgrade), true, succeeded, "", "a newer version is to be put in place"},
		{string(manifests.DowngradeAllowed), true, succeeded, "", "an older version is to be put in place, and that was allowed"},
		{string(manifests.Ahead), true, succeeded, manifests.CodeDowngrade, "the host runs a newer version than its region offers yet"},
		{string(manifests.Behind), true, succeeded, manifests.CodeInvalidTarget, "the region does not have that version yet"},
		{string(manifests.DowngradeRefused), false, failed, manifests.CodeDowngrade, "an older version was named, and not allowed"},
		{string(manifests.UnsupportedPlatform), false, failed, manifests.CodeInvalidTarget, "there is no such version for this system"},
		{string(manifests.StatusSkipped), true, succeeded, manifests.CodeInactive, "the version is deprecated or inactive in the region"},
		{string(manifests.Blocked), true, succeeded, "", "the version failed on this host before (ssm-setup unblock)"},
		{string(manifests.UnknownVersion), false, failed, manifests.CodeInvalidTarget, "what was asked for names no version"},
		{string(manifests.Elsewhere), true, succeeded, "", "the request names a source that this host does not take updates from"},
		{string(manifests.NoVersion), false, failed, manifests.CodeNoLatest, "the region offers no version"},
		{OnHold, true, succeeded, manifests.CodePrecondition, "the host is held (ssm-setup unhold)"},
		{OutsideVersions, true, succeeded, manifests.CodePrecondition, "the host's policy does not allow that version"},
		{CoolingDown, true, succeeded, manifests.CodePrecondition, "the version was published too short a time ago for the host's policy"},
		{OutsideWindow, true, succeeded, manifests.CodePrecondition, "no maintenance window of the host is open"},
		{Unreadable, true, succeeded, manifests.CodePrecondition, "the host's policy cannot be read or obeyed"},
		{NotRunning, false, failed, manifests.CodePrecondition, "another version runs than the request is for"},
		{BelowFloor, false, failed, manifests.CodePrecondition, "the version is older than the oldest one that the signed index allows"},
		{PackageNeeded, false, failed, manifests.CodePrecondition, "the package of the host is too old for that version"},
		{ledger.Updated, true, succeeded, "", "the new version runs and is confirmed"},
		{ledger.WentBack, true, succeeded, "", "a rollback that was asked for"},
		{ledger.RolledBack, false, failed, "ErrorUpdateFailRollbackSuccess", "the new version did not prove itself; the one before runs again"},
		{ledger.FailedKind, false, failed, "", "it failed before anything was changed"},
		{ledger.Postponed, true, succeeded, "", "the service could not be reached, so a new version could not be confirmed"},
		{ledger.NoPrevious, false, failed, "", "there is no version to go back to"},
		{Halted, true, succeeded, "", "the region has stopped the updates that hosts do by themselves"},
		{NotYet, true, succeeded, "", "the version is for a share of the hosts, of which this is none yet"},
	}
}

// ReasonFor is a code's row; false for a code that a later version wrote.
func ReasonFor(code string) (Reason, bool) {
	for _, r := range Reasons() {
		if r.Code == code {
			return r, true
		}
	}
	return Reason{Code: code}, false
}
