package machine

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// plainly is a printer without a terminal.
func plainly() *terminal.Printer { return terminal.New(nil, nil, nil) }

// failedUpdate is a status after an update that failed four minutes ago, because the new version crashed.
func failedUpdate() statusResult {
	now := time.Now()
	v2, v3 := manifests.MustVersion("9.2.0.0"), manifests.MustVersion("9.3.0.0")
	return statusResult{Installed: true, PackageVersion: "9.1.0.0", Active: "9.2.0.0", Previous: "9.1.0.0", Running: "9.2.0.0", PID: 7,
		InstanceID: "mi-1", Region: "local", Pinged: now.Add(-10 * time.Second), Logs: "/logs",
		Death: "9.3.0.0, …", death: launcher.Death{Version: "9.3.0.0", At: now.Add(-4*time.Minute - 5*time.Second), How: "exit code 3"},
		Update: &ledger.Outcome{Kind: ledger.RolledBack, FromVersion: v2, ToVersion: v3, Started: now.Add(-5 * time.Minute),
			Ended:  now.Add(-4 * time.Minute),
			Reason: "failed to update amazon-ssm-agent to 9.3.0.0, failed to start the agent, ErrorMessage=no heartbeat for 20s (its process ended: exit code 3)"},
		Skip: []ledger.Blocked{{Version: v3, Reason: "the same", Until: now.Add(24 * time.Hour)}}}
}

func TestAFailedUpdateIsToldOnceInTheStatus(t *testing.T) {
	text := statusText(plainly(), failedUpdate())
	if !strings.Contains(text, "last update       update 9.2.0.0 → 9.3.0.0 failed, 9.2.0.0 kept: exit code 3, 4 min ago\n") {
		t.Error(text)
	}
	if strings.Count(text, "exit code 3") != 1 || strings.Contains(text, "last crash") || strings.Contains(text, "the same") ||
		!strings.Contains(text, "blocked           9.3.0.0 until ") {
		t.Errorf("it is told more than once:\n%s", text)
	}
	r := failedUpdate()
	r.death.At = time.Now().Add(-time.Minute)
	if text := statusText(plainly(), r); !strings.Contains(text, "last crash        9.3.0.0: exit code 3, 1 min ago\n") {
		t.Errorf("a later crash is not told:\n%s", text)
	}
}

func TestPeopleReadPlainWords(t *testing.T) {
	r := failedUpdate()
	r.OnTrial, r.SetAside = true, "9.4.0.0"
	r.Skip = append(r.Skip, ledger.Blocked{Version: manifests.MustVersion("9.0.0.0"), Scheduled: true})
	texts := []string{statusText(plainly(), r)}
	for kind := range map[string]bool{ledger.Updated: true, ledger.WentBack: true, ledger.RolledBack: true, ledger.FailedKind: true,
		ledger.Postponed: true, ledger.NoPrevious: true} {
		o := *r.Update
		o.Kind = kind
		texts = append(texts, outcomeText(o))
	}
	for _, u := range []ledger.Update{{Undoing: true, Sequence: 1}, {OutOfReach: true}, {Stop: "plan"}, {Stop: "stage"}, {Stop: "switch"},
		{Stop: "watch"},
		{Stop: "watch", Known: true}} {
		texts = append(texts, stopText(u))
	}
	ours := regexp.MustCompile(`(?i)\b(floor|store|pointer|sequence|ring|beats?|deaf|probation|made room|held back|went back|verbs?|nobody|somebody|whoever)\b`)
	for _, text := range texts {
		if text == "" {
			t.Error("a text is missing")
		}
		if word := ours.FindString(text); word != "" {
			t.Errorf("%q in\n%s", word, text)
		}
	}
}

func TestStatusSaysForScriptsHowTheAgentIs(t *testing.T) {
	for want, r := range map[fault.Kind]statusResult{
		"":                 {Installed: true, PID: 7, InstanceID: "mi-1", Healthy: true},
		fault.NotInstalled: {},
		fault.NotRunning:   {Installed: true, InstanceID: "mi-1"},
		fault.Unhealthy:    {Installed: true, PID: 7, InstanceID: "mi-1"},
	} {
		var got fault.Kind
		if err := checked(installer.At(t.TempDir()), r); err != nil {
			got = err.(*terminal.Problem).Kind //nolint:errorlint // it is one
		}
		if got != want {
			t.Errorf("%+v: %q, want %q", r, got, want)
		}
	}
}

func TestThePackageVersionIsToldFromTheOneThatRuns(t *testing.T) {
	r := statusResult{Installed: true, PID: 7, Running: "9.2.0.0", Active: "9.2.0.0", PackageVersion: "9.1.0.0", Previous: "9.1.0.0"}
	text := statusText(plainly(), r)
	for _, want := range []string{"running           9.2.0.0 (process 7)\n",
		"package version   9.1.0.0 (what the package manager says; another version runs)\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestASecondRollbackIsKnownAsOne(t *testing.T) {
	back := &ledger.Outcome{Kind: ledger.WentBack, FromVersion: manifests.MustVersion("9.2.0.0"), ToVersion: manifests.MustVersion("9.1.0.0")}
	r := statusResult{Active: "9.1.0.0", Previous: "9.2.0.0", Update: back}
	if !r.wentBackFrom(r.Previous) {
		t.Error("it is not")
	}
	r.Update = &ledger.Outcome{Kind: ledger.Updated, FromVersion: back.ToVersion, ToVersion: back.FromVersion}
	if r.wentBackFrom(r.Previous) {
		t.Error("an update is one")
	}
}
