package policy_test

import (
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

// asking is a host at 9.2.0.0 in a region that has 9.1 to 9.4, asked by the schedule.
func asking(change func(*policy.Asking)) policy.Asking {
	a := policy.Asking{Now: at("2029-11-24 12:00"), Facts: policy.Facts{Why: ledger.ByTimer}, Question: manifests.Question{
		Region: "x-1", Running: ver("9.2.0.0"), Floor: ver("9.1.0.0"), Newest: ver("9.4.0.0"), Stable: ver("9.3.0.0"),
		Status: map[manifests.Version]string{ver("9.1.0.0"): "Active", ver("9.2.0.0"): "Active", ver("9.3.0.0"): "Active",
			ver("9.3.0.1"): "Active",
			ver("9.4.0.0"): "Active"}}}
	change(&a)
	return a
}

func TestThePlanObeysThePolicyAndTakesTheNewestVersionThatItAllows(t *testing.T) {
	index := manifests.NewIndex()
	index.SetRollout(ver("9.4.0.0"), manifests.Rollout{Published: at("2029-11-24 11:00")})
	index.Floor = ver("9.1.5.0")
	index.Withdrawn = []manifests.Withdrawal{{From: ver("9.2.0.0"), To: ver("9.2.9.0"), Go: ver("9.3.0.0"), Reason: "loses replies"}}
	quiet := *index
	quiet.Withdrawn = nil
	needy := manifests.NewIndex()
	needy.Minimum = &manifests.Minimum{Launcher: ver("9.1.1.0")}
	held := policy.Policy{Hold: &policy.Hold{Reason: "audit"}}
	for name, c := range map[string]struct {
		change  func(*policy.Asking)
		kind    manifests.Kind
		target  string
		success bool
		code    string
		detail  string
	}{
		"no policy": {func(*policy.Asking) {}, manifests.Upgrade, "9.4.0.0", true, "", ""},
		"held":      {func(a *policy.Asking) { a.Policy = held }, policy.OnHold, "9.4.0.0", true, "ErrorFailedPrecondition", "audit"},
		"held, and a document names a version": {func(a *policy.Asking) {
			a.Policy, a.Facts.Why, a.Question.Requested = held, ledger.ByDocument, "9.3.0.0"
		}, policy.OnHold, "9.3.0.0", false, "ErrorFailedPrecondition", "audit"},
		"held, and up to date": {func(a *policy.Asking) { a.Policy, a.Question.Running = held, ver("9.4.0.0") }, manifests.UpToDate, "9.4.0.0",
			true, "", ""},
		"held, and ahead": {func(a *policy.Asking) { a.Policy, a.Question.Running = held, ver("9.9.0.0") }, manifests.Ahead, "9.4.0.0",
			true, "ErrorAttempToDowngrade", ""},
		"a hold on a version leads to it": {func(a *policy.Asking) { a.Policy.Hold = &policy.Hold{Version: ver("9.3.0.0")} }, manifests.Upgrade,
			"9.3.0.0", true, "", "9.4.0.0 is kept back: this host is held at 9.3.0.0"},
		"a hold on the version that runs": {func(a *policy.Asking) { a.Policy.Hold = &policy.Hold{Version: ver("9.2.0.0")} }, policy.OnHold,
			"9.4.0.0", true, "ErrorFailedPrecondition", "held at 9.2.0.0"},
		"a constraint leads to the newest in it": {func(a *policy.Asking) { a.Policy.Versions = ">=9.3 <9.4" }, manifests.Upgrade, "9.3.0.1",
			true,
			"", "9.4.0.0 is kept back"},
		"a constraint that leaves nothing": {func(a *policy.Asking) { a.Policy.Versions = "<9.3" }, policy.OutsideVersions, "9.4.0.0", true,
			"ErrorFailedPrecondition", "<9.3"},
		"a constraint of the policy and one of the request": {func(a *policy.Asking) {
			a.Policy.Versions, a.Question.Requested = "<9.4", ">=9.3"
		}, manifests.Upgrade, "9.3.0.1", true, "", ""},
		"a cooldown takes the version before": {func(a *policy.Asking) { a.Policy.Cooldown, a.Index = "1d", &quiet }, manifests.Upgrade,
			"9.3.0.1",
			true, "", "9.4.0.0 is kept back"},
		"stable is one version": {func(a *policy.Asking) { a.Policy.Versions, a.Question.Requested = ">=9.4", "stable" }, policy.OutsideVersions,
			"9.3.0.0", true, "ErrorFailedPrecondition", ""},
		"a policy that cannot be obeyed": {func(a *policy.Asking) { a.Policy.Versions = "!" }, policy.Unreadable, "9.4.0.0", true,
			"ErrorFailedPrecondition", "cannot be obeyed"},
		"a person overrides": {func(a *policy.Asking) {
			a.Policy, a.Facts = held, policy.Facts{Why: ledger.ByCommandLine, Override: true}
		}, manifests.Upgrade, "9.4.0.0", true, "", "audit, and that was overridden"},
		"withdrawn, though held": {func(a *policy.Asking) { a.Policy, a.Index, a.Verified = held, index, true }, manifests.Upgrade, "9.3.0.0",
			true, "", "loses replies"},
		"withdrawn, and what it leads to failed here": {func(a *policy.Asking) {
			a.Policy, a.Index, a.Verified = held, index, true
			a.Question.Skip = map[manifests.Version]string{ver("9.3.0.0"): "it did not start"}
		}, policy.OnHold, "9.4.0.0", true, "ErrorFailedPrecondition", "audit"},
		"withdrawn by an index that nothing verified": {func(a *policy.Asking) { a.Index = index }, manifests.Upgrade, "9.4.0.0", true, "", ""},
		"below the oldest allowed": {func(a *policy.Asking) {
			a.Index, a.Verified, a.Question.Requested, a.Question.AllowDowngrade = &quiet, true, "9.1.0.0", true
		}, policy.BelowFloor, "9.1.0.0", false, "ErrorFailedPrecondition", "9.1.5.0"},
		"which no override gets past": {func(a *policy.Asking) {
			a.Index, a.Verified, a.Question.Requested, a.Question.AllowDowngrade = &quiet, true, "9.1.0.0", true
			a.Facts = policy.Facts{Why: ledger.ByCommandLine, Override: true}
		}, policy.BelowFloor, "9.1.0.0", false, "ErrorFailedPrecondition", "9.1.5.0"},
		"the oldest allowed, known from before": {func(a *policy.Asking) {
			a.Oldest, a.Question.Requested, a.Question.AllowDowngrade = ver("9.1.0.1"), "9.1.0.0", true
		}, policy.BelowFloor, "9.1.0.0", false, "ErrorFailedPrecondition", "9.1.0.1"},
		"of an index that nothing verified": {func(a *policy.Asking) {
			a.Index, a.Question.Requested, a.Question.AllowDowngrade = index, "9.1.0.0", true
		}, manifests.DowngradeAllowed, "9.1.0.0", true, "", ""},
		"another version runs": {func(a *policy.Asking) { a.Running = ver("9.1.0.0") }, policy.NotRunning, "", false,
			"ErrorFailedPrecondition", "9.2.0.0 runs, and the request is for hosts that run 9.1.0.0"},
		"that version runs": {func(a *policy.Asking) { a.Running = ver("9.2.0.0") }, manifests.Upgrade, "9.4.0.0", true, "", ""},
		"the package is too old": {func(a *policy.Asking) { a.Index = needy }, policy.PackageNeeded, "9.4.0.0", false,
			"ErrorFailedPrecondition", "package upgrade needed"},
	} {
		t.Run(name, func(t *testing.T) {
			a := asking(c.change)
			d, v := a.Decide()
			if d.Kind != c.kind || d.Target.String() != c.target || d.Success != c.success || d.Code != c.code || !strings.Contains(d.Detail,
				c.detail) {
				t.Errorf("%s %q success=%t code=%q detail %q", d.Kind, d.Target, d.Success, d.Code, d.Detail)
			}
			if (v.Allowed && v.Reason != "") != strings.Contains(c.detail, "overridden") {
				t.Errorf("overrode %+v", v)
			}
			if r, ok := policy.ReasonFor(string(d.Kind)); !ok || r.Original != "" && d.Code != "" && r.Original != d.Code {
				t.Errorf("the table says %+v", r)
			}
		})
	}
}

func TestAVersionThatThePolicyChoseSaysNothingOfOnesThatThisSystemLacks(t *testing.T) {
	for versions, newer := range map[string]string{"": "9.9.0.0", "<9.4": "", "<9.0": "9.9.0.0"} {
		d, _ := asking(func(a *policy.Asking) {
			a.Policy.Versions = versions
			a.Question.Anywhere = map[manifests.Version]string{ver("9.9.0.0"): manifests.Active}
		}).Decide()
		if d.Newer.String() != newer {
			t.Errorf("%q: %s, newer %q, want %q", versions, d.Kind, d.Newer, newer)
		}
	}
}
