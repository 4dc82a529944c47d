// Package current is how people have a host stay current: the flags of ssm-setup install, the timer of Amazon's agent, and what
// ssm-setup status says of it, in words and as data. The rules, and the record that it reads, are updater/schedule's.
package current

import (
	"cmp"
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/trust"
	"github.com/ssm-setup/ssm-setup/updater/schedule"
)

// Result is stay_current of status --json.
type Result struct {
	Follow  string            `json:"follow"`             // latest or stable
	Trust   string            `json:"trust"`              // why the source is believed
	Refused string            `json:"refused,omitempty"`  // why it is not followed
	Next    time.Time         `json:"next_look,omitzero"` //
	Looked  time.Time         `json:"last_look,omitzero"`
	Result  string            `json:"result,omitempty"` // a code of what came of the last look
	Note    string            `json:"note,omitempty"`   // why the host's policy does not allow it
	Fault   string            `json:"fault,omitempty"`
	Version manifests.Version `json:"version,omitzero"` // what the source offered then
}

// Of is nil where nothing is followed.
func Of(l installer.Layout, cfg config.Config, region string) *Result {
	if cfg.Agent.StayCurrent == "" {
		return nil
	}
	r := &Result{Follow: cfg.Agent.StayCurrent}
	base, err := regions.BaseOfManifest(cfg.Agent.UpdateSource, region)
	if cfg.Agent.UpdateSource == "" || regions.AWSManifest(cfg.Agent.UpdateSource, region) {
		err = fmt.Errorf("no source of updates is set")
	}
	if err == nil {
		r.Trust, err = schedule.Trust(base, anchor.With(l, nil, trust.Watch{}) != nil)
	}
	if err != nil {
		r.Refused = err.Error()
		return r
	}
	if s := schedule.Read(l); s.Follow == r.Follow {
		r.Next, r.Looked, r.Result, r.Note, r.Fault, r.Version = s.Next, s.Looked, s.Code, s.Note, s.Fault, s.Seen.Version
	}
	return r
}

// meanings are the codes of a look for people.
var meanings = map[string]string{
	schedule.UpToDate: "up to date", schedule.Ahead: "ahead of the region", schedule.NoVersion: "the source names no version",
	schedule.Halted: "the region has stopped such updates", schedule.NotYet: "not yet for this host", schedule.Asked: "an update was begun",
	schedule.Busy: "another update was under way", schedule.Failed: "it failed",
}

// Text is the line for people.
func (r *Result) Text(now time.Time) string {
	switch {
	case r == nil:
		return "no"
	case r.Refused != "":
		return "no: " + r.Refused
	}
	text := r.Follow + ", " + r.Trust
	if !r.Next.IsZero() {
		text += ", next look in " + roughly(r.Next.Sub(now))
	}
	if r.Result != "" {
		text += "; last look " + terminal.Ago(r.Looked) + ": " + cmp.Or(r.Note, meanings[r.Result], r.Result)
		if r.Result != schedule.UpToDate && !r.Version.IsZero() {
			text += fmt.Sprintf(" (%s)", r.Version)
		}
	}
	if r.Fault != "" {
		text += ", " + r.Fault
	}
	return text
}

// roughly is a time to come, for people.
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute)/time.Minute))
	case d < 36*time.Hour:
		return fmt.Sprintf("%d h", int(d.Round(time.Hour)/time.Hour))
	}
	return fmt.Sprintf("%d days", int(d.Round(24*time.Hour)/(24*time.Hour)))
}
