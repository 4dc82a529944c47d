package takeover

import (
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

// obey holds a change against the host's policy, in either direction: an exchange of agents is an update. What it does not allow is a
// failed precondition, as in the updater's plan: skipped where the order leaves the choice of the version to the region.
func (w *work) obey(a Answer) Answer {
	target, err := manifests.ParseVersion(a.Target)
	if !a.Changes || err != nil {
		return a
	}
	running, _ := manifests.ParseVersion(w.r.Order.Source)
	p, err := policy.Read(w.Layout)
	if err != nil {
		w.Log.Warn("the update policy counts as one that allows nothing", "error", err)
	}
	v := p.Decide(w.Now(), target, policy.Facts{Why: ledger.ByDocument, Running: running})
	if v.Allowed {
		return a
	}
	a.Changes = false
	if t := w.r.Order.Target; t == latest || t == none || strings.EqualFold(t, "stable") {
		a.Lines = append(a.Lines, "Failed update precondition check: "+v.Text)
		return a.skipped(manifests.CodePrecondition, "update skipped")
	}
	return a.failed(manifests.CodePrecondition, "Failed update precondition check: %s", v.Text)
}
