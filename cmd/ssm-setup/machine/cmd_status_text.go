package machine

import (
	"cmp"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/rules"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// statusText is the state of an installation for people. What is known about a failed update is said once: with the update.
func statusText(out *terminal.Printer, r statusResult) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t"+format+"\n", append([]any{name}, args...)...)
	}
	line("health", "%s", healthText(out, r))
	line("agent", "ours (ssm-setup)")
	line("running", "%s", runningText(r))
	line("active", "%s", activeText(r))
	line("fallback version", "%s", terminal.Dash(r.Previous))
	line("package version", "%s", packageText(r))
	if r.SetAside != "" {
		line("replaced", "%s, by the newer package", r.SetAside)
	}
	line("node", "%s", terminal.Dash(strings.TrimSpace(r.InstanceID+" "+r.Region)))
	line("last ping", "%s", pingText(r))
	if r.Death != "" && !r.deathOfUpdate() {
		line("last crash", "%s: %s, %s", r.death.Version, r.death.How, terminal.Ago(r.death.At))
	}
	line("updates from", "%s", terminal.Dash(cmp.Or(r.PackageSource, r.Source)))
	if r.Trust != nil {
		line("trust", "%s", ledger.Trust{By: r.Trust.By, Root: r.Trust.Root, SHA256: r.Trust.SHA256})
	}
	line("stays current", "%s", r.StayCurrent.Text(time.Now()))
	if r.Proxy != "" {
		line("proxy", "%s", r.Proxy)
	}
	if r.Skew != nil {
		line("region", "%s", r.Skew.Text)
	}
	line("last update", "%s", updateText(r.Update))
	if r.UnderWay != nil {
		line("under way", "update to %s: %s", r.UnderWay.ToVersion, r.UnderWay.Stop)
	}
	r.policyRows(line)
	for _, s := range r.Skip {
		line("blocked", "%s", r.blockedText(s))
	}
	for _, s := range r.Unreadable {
		line("unreadable", "%s", s)
	}
	for _, s := range r.Warnings {
		line("warning", "%s", out.Doubtful(s))
	}
	line("logs", "%s", r.Logs)
	w.Flush()
	return b.String()
}

// healthText is the state in one word.
func healthText(out *terminal.Printer, r statusResult) string {
	switch {
	case r.PID == 0:
		return out.Bad("not running")
	case r.Healthy:
		return out.Good("healthy")
	case r.InstanceID == "":
		return out.Doubtful("not registered")
	}
	return out.Bad("not healthy")
}

func runningText(r statusResult) string {
	switch {
	case r.Running != "":
		return fmt.Sprintf("%s (process %d)", r.Running, r.PID)
	case r.PID > 0:
		return fmt.Sprintf("process %d, of unknown version", r.PID)
	}
	return "nothing"
}

// packageText tells the package version from the one that runs: scanners that ask the package manager see the former only.
func packageText(r statusResult) string {
	if r.Running != "" && r.Running != r.PackageVersion {
		return r.PackageVersion + " (what the package manager says; another version runs)"
	}
	return r.PackageVersion
}

func activeText(r statusResult) string {
	if r.OnTrial {
		return r.Active + " (on trial)"
	}
	return r.Active
}

func pingText(r statusResult) string {
	text := "never"
	if !r.Pinged.IsZero() {
		text = terminal.Ago(r.Pinged)
	}
	if r.Fault != "" {
		text += "; last fault: " + r.Fault
	}
	return text
}

func updateText(o *ledger.Outcome) string {
	if o == nil {
		return "-"
	}
	return outcomeText(*o) + ", " + terminal.Ago(o.Ended)
}

// failedUpdate tells whether the last update failed with this version.
func (r statusResult) failedUpdate(version string) bool {
	return r.Update != nil && r.Update.Kind == ledger.RolledBack && r.Update.ToVersion.String() == version
}

// deathOfUpdate tells whether the last crash is the one for which the last update failed.
func (r statusResult) deathOfUpdate() bool {
	return r.failedUpdate(r.death.Version) && !r.death.At.Before(r.Update.Started.Truncate(time.Second)) && !r.death.At.After(r.Update.Ended)
}

// blockedText says until when a version is blocked, and why, unless the last update says that.
func (r statusResult) blockedText(s ledger.Blocked) string {
	until := s.Until.Local().Format("2006-01-02 15:04")
	if s.Scheduled {
		return fmt.Sprintf("%s for scheduled updates, until %s", s.Version, until)
	}
	text := fmt.Sprintf("%s until %s", s.Version, until)
	if r.failedUpdate(s.Version.String()) {
		return text
	}
	return text + ": " + plainReason(s.Reason)
}

// policyRows are what updates have to obey.
func (r statusResult) policyRows(line func(name, format string, args ...any)) {
	if r.Policy == nil {
		return
	}
	open, closes, next := r.Policy.Window(time.Now())
	for _, row := range rules.Rows(*r.Policy, open, closes, next) {
		line(row[0], "%s", row[1])
	}
}
