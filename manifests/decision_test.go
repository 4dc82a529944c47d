package manifests_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests"
)

var ver = manifests.MustVersion

// host is a region with 9.0 deprecated, 9.1 and 9.2 active, 9.3 inactive, 9.4 of a strange status, and a host on 9.1.
func host(change func(*manifests.Question)) manifests.Question {
	q := manifests.Question{
		Region: "eu-x-1", Running: ver("9.1.0.0"), Floor: ver("9.1.0.0"), Newest: ver("9.2.0.0"), Stable: ver("9.1.0.0"),
		Status: map[manifests.Version]string{ver("9.0.0.0"): manifests.Deprecated, ver("9.1.0.0"): manifests.Active,
			ver("9.2.0.0"): manifests.Active, ver("9.3.0.0"): manifests.Inactive, ver("9.4.0.0"): ""},
	}
	change(&q)
	return q
}

func TestADecisionHasItsKindCodeAndWords(t *testing.T) {
	rows := []struct {
		name    string
		change  func(*manifests.Question)
		kind    manifests.Kind
		target  string
		success bool
		code    string
		line    string // one of the lines
		detail  string // part of the detail
		hint    string
	}{
		{"nothing asked", func(q *manifests.Question) {}, manifests.Upgrade, "9.2.0.0", true, "",
			"Updating amazon-ssm-agent from 9.1.0.0 to 9.2.0.0", "eu-x-1", ""},
		{"None", func(q *manifests.Question) { q.Requested = "None" }, manifests.Upgrade, "9.2.0.0", true, "", "", "", ""},
		{"latest", func(q *manifests.Question) { q.Requested = "latest" }, manifests.Upgrade, "9.2.0.0", true, "", "", "", ""},
		{"LATEST is no version", func(q *manifests.Question) { q.Requested = "LATEST" }, manifests.UnknownVersion, "", false,
			"ErrorInvalidTargetVersion", "Invalid target version: LATEST", "names no version", ""},
		{"stable, any case", func(q *manifests.Question) { q.Requested = "Stable" }, manifests.UpToDate, "9.1.0.0", true, "",
			"amazon-ssm-agent 9.1.0.0 has already been installed", "up to date", ""},
		{"no stable file", func(q *manifests.Question) { q.Requested, q.Stable = "stable", manifests.Version{} }, manifests.NoVersion, "", false,
			"ErrorGetStableVersionS3", "", "stable/VERSION", ""},
		{"exact", func(q *manifests.Question) { q.Requested = "9.2.0.0" }, manifests.Upgrade, "9.2.0.0", true, "", "", "", ""},
		{"constraint", func(q *manifests.Question) { q.Requested = ">=9.1" }, manifests.Upgrade, "9.2.0.0", true, "", "", "", ""},
		{"constraint nothing meets", func(q *manifests.Question) { q.Requested = ">=20" }, manifests.UnknownVersion, "", false,
			"ErrorInvalidTargetVersion", "Invalid target version: >=20", "", ""},
		{"already there, though not listed", func(q *manifests.Question) { q.Running, q.Requested = ver("9.9.0.0"), "9.9.0.0" },
			manifests.UpToDate, "9.9.0.0", true, "", "update skipped", "", ""},
		{"ahead of the region", func(q *manifests.Question) { q.Running = ver("9.9.0.0") }, manifests.Ahead, "9.2.0.0", true,
			"ErrorAttempToDowngrade", "Updating 9.9.0.0 to an older version 9.2.0.0, please enable allow downgrade to proceed",
			"ahead of region eu-x-1", manifests.HintDowngrade},
		{"downgrade refused", func(q *manifests.Question) { q.Running, q.Requested = ver("9.2.0.0"), "9.1.0.0" }, manifests.DowngradeRefused,
			"9.1.0.0", false, "ErrorAttempToDowngrade",
			"Updating 9.2.0.0 to an older version 9.1.0.0, please enable allow downgrade to proceed", "--allow-downgrade",
			"updating amazon-ssm-agent to an older version, please turn on allow downgrade to proceed"},
		{"downgrade refused before anything else", func(q *manifests.Question) { q.Requested = "8.0.0.0" }, manifests.DowngradeRefused,
			"8.0.0.0", false, "ErrorAttempToDowngrade", "", "", manifests.HintDowngrade},
		{"downgrade allowed", func(q *manifests.Question) {
			q.Running, q.Requested, q.AllowDowngrade = ver("9.2.0.0"), "9.1.0.0", true
		}, manifests.DowngradeAllowed, "9.1.0.0", true, "", "Updating amazon-ssm-agent from 9.2.0.0 to 9.1.0.0", "downgrade", ""},
		{"downgrade allowed, not listed", func(q *manifests.Question) { q.Requested, q.AllowDowngrade = "8.0.0.0", true },
			manifests.UnsupportedPlatform, "8.0.0.0", false, "ErrorInvalidTargetVersion",
			"amazon-ssm-agent target version 8.0.0.0 is unsupported on current platform", "", "Unsupported on current platform"},
		{"a region behind another", func(q *manifests.Question) { q.Requested = "9.8.0.0" }, manifests.Behind, "9.8.0.0", true,
			"ErrorInvalidTargetVersion", "amazon-ssm-agent target version 9.8.0.0 is unsupported on current platform", "behind another region",
			manifests.HintUnsupported},
		{"not listed", func(q *manifests.Question) { q.Requested = "9.1.5.0" }, manifests.UnsupportedPlatform, "9.1.5.0", false,
			"ErrorInvalidTargetVersion", "amazon-ssm-agent target version 9.1.5.0 is unsupported on current platform", "9.2.0.0",
			manifests.HintUnsupported},
		{"platform not listed", func(q *manifests.Question) { q.Status, q.Newest = nil, manifests.Version{} }, manifests.UnsupportedPlatform, "",
			false, "ErrorGetLatestActiveVersionManifest", "", "no package for this platform", manifests.HintUnsupported},
		{"precondition", func(q *manifests.Question) { q.Precondition = "Failed kernel version precondition" }, manifests.UnsupportedPlatform,
			"9.2.0.0", false, "ErrorFailedPrecondition", "Failed update precondition check: Failed kernel version precondition", "",
			manifests.HintUnsupported},
		{"nothing active", func(q *manifests.Question) { q.Newest = manifests.Version{} }, manifests.NoVersion, "", false,
			"ErrorGetLatestActiveVersionManifest", "", "no active version", ""},
		{"inactive", func(q *manifests.Question) { q.Requested = "9.3.0.0" }, manifests.StatusSkipped, "9.3.0.0", true,
			"InactiveAgentVersion", "amazon-ssm-agent version 9.3.0.0 is deprecated/inactive, update skipped", "Inactive", ""},
		{"deprecated", func(q *manifests.Question) { q.Requested, q.AllowDowngrade = "9.0.0.0", true }, manifests.StatusSkipped, "9.0.0.0", true,
			"InactiveAgentVersion", "amazon-ssm-agent version 9.0.0.0 is deprecated/inactive, update skipped", "Deprecated", ""},
		{"strange status", func(q *manifests.Question) { q.Requested = "9.4.0.0" }, manifests.StatusSkipped, "9.4.0.0", true,
			"InactiveAgentVersion", "", "unknown status", ""},
		{"held", func(q *manifests.Question) { q.Skip = map[manifests.Version]string{ver("9.2.0.0"): "it crashed"} }, manifests.Blocked, "9.2.0.0",
			true, "", "update skipped", "it crashed", ""},
		{"held, but named", func(q *manifests.Question) {
			q.Requested, q.Skip = "9.2.0.0", map[manifests.Version]string{ver("9.2.0.0"): "it crashed"}
		}, manifests.Upgrade, "9.2.0.0", true, "", "", "", ""},
		{"managed elsewhere", func(q *manifests.Question) { q.NotManaged = true }, manifests.Elsewhere, "9.1.0.0", true, "",
			"amazon-ssm-agent is not managed from there, nothing changed", "Agent.UpdateSource", ""},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			a := manifests.Decide(host(r.change))
			if a.Kind != r.kind || a.Target.String() != r.target || a.Success != r.success || a.Code != r.code {
				t.Errorf("got %s %q success=%v code=%q, want %s %q %v %q", a.Kind, a.Target, a.Success, a.Code, r.kind, r.target, r.success, r.code)
			}
			if r.line != "" && !slices.Contains(a.Lines, r.line) {
				t.Errorf("lines %q, want %q", a.Lines, r.line)
			}
			if !strings.Contains(a.Detail, r.detail) || a.Detail == "" {
				t.Errorf("detail %q, want %q in it", a.Detail, r.detail)
			}
			if r.hint != "" && !slices.Contains(a.Hints, r.hint) {
				t.Errorf("hints %q, want %q", a.Hints, r.hint)
			}
			if a.Changes() != (r.kind == manifests.Upgrade || r.kind == manifests.DowngradeAllowed) {
				t.Error("Changes is wrong")
			}
		})
	}
}

func TestATargetEqualToTheInstalledPackageNeedsNoDownload(t *testing.T) {
	a := manifests.Decide(host(func(q *manifests.Question) {
		q.Running, q.Requested, q.AllowDowngrade = ver("9.2.0.0"), "9.1.0.0", true
	}))
	if !a.FromFloor {
		t.Error("going back to the floor needs no download")
	}
}

func FuzzDecide(f *testing.F) {
	f.Add("9.1.0.0", "9.2.0.0", "latest", true, "Active", "")
	f.Add("", "", "~>", false, "Foo", "why")
	f.Add("9.2.0.0", "9.2.0.0", "", false, "Active", "")          // up to date
	f.Add("9.3.0.0", "9.2.0.0", "stable", false, "Active", "")    // ahead of the region
	f.Add("9.3.0.0", "9.2.0.0", "9.2.0.0", false, "Active", "")   // a downgrade, refused and allowed
	f.Add("9.3.0.0", "9.2.0.0", "9.2.0.0", true, "Active", "")    //
	f.Add("9.1.0.0", "9.2.0.0", "9.4.0.0", false, "Active", "")   // not listed
	f.Add("9.1.0.0", "9.2.0.0", ">=9.1", false, "Active", "")     // a constraint, met and not
	f.Add("9.1.0.0", "9.2.0.0", ">=20", false, "Active", "")      //
	f.Add("9.1.0.0", "9.2.0.0", "", false, "Inactive", "")        // not to be installed
	f.Add("9.1.0.0", "9.2.0.0", "", false, "Active", "it failed") // blocked
	f.Add("9.1.0.0", "", "", false, "Active", "")                 // there is none
	f.Fuzz(func(t *testing.T, running, newest, requested string, allow bool, status, skip string) {
		r, _ := manifests.ParseVersion(running)
		n, _ := manifests.ParseVersion(newest)
		a := manifests.Decide(manifests.Question{Running: r, Newest: n, Stable: n, Requested: requested, AllowDowngrade: allow,
			Status: map[manifests.Version]string{n: status}, Skip: map[manifests.Version]string{n: skip}})
		if a.Kind == "" || a.Detail == "" || len(a.Lines) == 0 {
			t.Fatalf("a decision without words: %+v", a)
		}
		if a.Kind == manifests.Upgrade && !r.Less(a.Target) {
			t.Fatalf("an upgrade to something not newer: %+v", a)
		}
		if a.Target.Less(r) && a.Changes() && !allow {
			t.Fatalf("a downgrade without leave: %+v", a)
		}
	})
}
