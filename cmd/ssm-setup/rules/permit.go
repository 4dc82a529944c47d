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
// The package of the version that runs changes nothing that a policy is about. A cooldown does not count here: an installation is not
// scheduled, and it reads no index, which says when a version was published.
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
		return fault.Wrap(fault.Refused, errors.New(verdict.Text),
			hintOf(verdict.Reason == policy.OnHold)+"; without --version the installed version stays")
	}
}

// Obeys holds decisions about Amazon's agent against the policy of its host. Why is who asks, of the By… constants of updater/ledger;
// override: a person says all the same.
func Obeys(l installer.Layout, why, requested string, override bool) func(manifests.Decision) manifests.Decision {
	return func(d manifests.Decision) manifests.Decision {
		a := policy.Asking{Now: time.Now(), Facts: policy.Facts{Why: why, Override: override},
			Question: manifests.Question{Requested: requested}}
		a.Policy, _ = policy.Read(l)
		d = a.Obey(d)
		if d.Code == manifests.CodePrecondition && len(d.Hints) == 0 {
			d.Hints = []string{hintOf(policy.OnHold == string(d.Kind))}
		}
		return d
	}
}

// hintOf is the next step where the policy is in the way.
func hintOf(held bool) string {
	if held {
		return "ssm-setup unhold ends the hold"
	}
	return "ssm-setup policy shows and changes it"
}
