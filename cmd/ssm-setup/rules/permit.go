package rules

import (
	"errors"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/store"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

// Permit asks the policy of a host about a package that ssm-setup install would put in place of the installed one; its error says why not.
// The package of the version that runs changes nothing that a policy is about. A cooldown does not count here: the installation reads no
// index, which says when a version was published.
func Permit(l installer.Layout) func(manifests.Version) error {
	return func(v manifests.Version) error {
		state, err := store.Store{Paths: l.Pointer()}.Read()
		if err == nil && state.Active.Version == v.String() {
			return nil
		}
		p, _ := policy.Read(l) // a damaged one allows nothing, and its verdict says so
		verdict := p.Decide(time.Now(), v, policy.Facts{Why: ledger.BySetup})
		if verdict.Allowed {
			return nil
		}
		hint := "ssm-setup policy shows and changes it"
		if verdict.Reason == policy.OnHold {
			hint = "ssm-setup unhold ends the hold"
		}
		return fault.Wrap(fault.Refused, errors.New(verdict.Text), hint+"; without --version the installed version stays")
	}
}
