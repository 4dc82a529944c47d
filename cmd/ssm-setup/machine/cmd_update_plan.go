package machine

import (
	"strings"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/rules"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/updater"
)

// checkText is what an update would do, for people.
func checkText(a updater.Checked) string {
	text := decisionText(a.Kind, a.ToVersion, a.Detail)
	if a.Changes {
		text += "\nssm-setup update does it"
	}
	for _, hint := range policyHints(a.Kind) {
		text += "\nhint: " + hint
	}
	return strings.Join(append([]string{text}, planLines(a)...), "\n")
}

// planLines are what an update would need and obey. An agent of a version that does not say has none.
func planLines(a updater.Checked) (list []string) {
	p := a.Plan
	if p == nil {
		return nil
	}
	add := func(name, format string, args ...any) {
		list = append(list, rules.Line(name, format, args...))
	}
	if a.Changes {
		add("begins", "%s", "at once")
		trial := "on trial first"
		if p.Known {
			trial = "confirmed here before: no trial"
		}
		add("trial", "%s", trial)
	} else if !a.Until.IsZero() {
		add("ask again", "%s", rules.Clock(a.Until))
	}
	if a.Changes && p.DiskNeeded > 0 {
		download := "size not told by the region"
		if p.Download > 0 {
			download = terminal.Size(p.Download)
		}
		add("download", "%s", download)
		add("disk at its peak", "%s, %s free", terminal.Size(p.DiskNeeded), terminal.Size(int64(p.DiskFree)))
	} else if a.Changes {
		add("download", "none: the version is on this machine")
	}
	launcher := p.Launcher.String()
	if !p.LauncherSince.IsZero() {
		launcher += ", on this machine since " + rules.Clock(p.LauncherSince)
	}
	add("package version", "%s", launcher)
	if p.NoExec != "" {
		add("not executable", "%s is mounted noexec: no version there can run", p.NoExec)
	}
	return append(list, rules.Lines(p.Policy, p.WindowOpen, p.WindowCloses, p.WindowNext)...)
}
