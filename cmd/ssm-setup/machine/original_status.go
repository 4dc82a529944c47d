package machine

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/installer/proxy"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/regions"
)

// originalStatus is the object of status --json for Amazon's agent: the members that it has in common with that of ours have the same
// names.
type originalStatus struct {
	Agent          originals.Kind     `json:"agent"`
	Installed      bool               `json:"installed"`
	PackageVersion string             `json:"package_version"`
	Active         string             `json:"active"`
	Previous       string             `json:"previous"`
	Running        string             `json:"running"`
	Healthy        bool               `json:"healthy"` // as far as this host can tell: its service and both programs run
	PID            int                `json:"pid,omitempty"`
	WorkerPID      int                `json:"worker_pid,omitempty"`
	Format         string             `json:"format"`
	Service        string             `json:"service"`
	Boot           string             `json:"boot,omitempty"`
	InstanceID     string             `json:"instance_id"`
	Region         string             `json:"region"`
	Proxy          string             `json:"proxy,omitempty"`
	Source         string             `json:"source"`
	Signature      string             `json:"signature,omitempty"`
	Update         *originals.Outcome `json:"last_update"`
	UnderWay       *originals.Change  `json:"update_under_way,omitempty"`
	Logs           string             `json:"logs"`
	Unreadable     []string           `json:"unreadable,omitempty"`
	Warnings       []string           `json:"warnings,omitempty"`
}

func statusOriginal(c *cli.Context, a *originals.Agent) error {
	s, err := a.Status(c.Context)
	if err != nil && s.Version.IsZero() {
		return terminal.Cannot("read the state of", amazonsAgent, err)
	}
	r := originalState(a, s)
	if err != nil {
		r.Unreadable = append(r.Unreadable, err.Error())
	}
	terminal.Of(c).Result(r, "%s", originalStatusText(r))
	if c.Bool("check") {
		return checked(a.Layout, statusResult{Installed: r.Installed, PID: r.PID, InstanceID: r.InstanceID, Healthy: r.Healthy})
	}
	return nil
}

// originalState puts what is known into the object's members.
func originalState(a *originals.Agent, s originals.Status) originalStatus {
	r := originalStatus{Agent: originals.Original, Installed: s.Whole, PackageVersion: s.Version.String(), Active: s.Version.String(),
		Previous: s.Previous().String(), Healthy: s.Sight == "", PID: s.PID, WorkerPID: s.Worker, Format: s.Packing, Service: s.Kind,
		Boot:   s.Boot,
		Update: s.Record.Last, UnderWay: s.Record.Open, Logs: a.Logs(), Source: s.Record.Source}
	if s.PID > 0 {
		r.Running = s.Version.String()
	}
	if p := s.Record.InUse; p != nil && p.Version == s.Version {
		r.Signature = p.Signature
	}
	var err error
	if r.InstanceID, r.Region, err = a.Ports.Registered(a.Layout); err != nil {
		r.Unreadable = append(r.Unreadable, fmt.Sprintf("registration: %v", err))
	}
	if r.Region == "" {
		r.Region = s.Record.Region
	}
	if p, known := proxy.Of(a.Layout); known {
		r.Proxy = p.Redacted()
	}
	cfg := config.Read(a.Layout)
	if r.Source == "" && r.Region != "" {
		r.Source, _ = regions.BucketURL(r.Region, cfg.S3.Endpoint, "")
	}
	r.Warnings = insecureWarnings(cfg.Config)
	if r.Boot != "" && r.Boot != service.Enabled {
		r.Warnings = append(r.Warnings, "the service is "+r.Boot+": it does not come back after a reboot")
	}
	if s.Sight != "" {
		r.Warnings = append(r.Warnings, s.Sight)
	}
	if s.Line != "" {
		r.Warnings = append(r.Warnings, s.Line)
	}
	return r
}

// originalStatusText is the state of Amazon's agent for people.
func originalStatusText(r originalStatus) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t"+format+"\n", append([]any{name}, args...)...)
	}
	line("agent", "Amazon's own, installed by its %s package", r.Format)
	switch {
	case r.PID > 0:
		line("running", "%s (process %d)", r.Running, r.PID)
	default:
		line("running", "nothing")
	}
	line("package version", "%s", r.PackageVersion)
	line("fallback version", "%s", terminal.Dash(r.Previous))
	line("node", "%s", terminal.Dash(strings.TrimSpace(r.InstanceID+" "+r.Region)))
	line("updates from", "%s", terminal.Dash(r.Source))
	if r.Signature != "" {
		line("package", "%s", r.Signature)
	}
	if r.Proxy != "" {
		line("proxy", "%s", r.Proxy)
	}
	if o := r.Update; o != nil {
		line("last change", "%s, %s", changeText(*o), terminal.Ago(o.Ended))
	}
	if o := r.UnderWay; o != nil {
		line("under way", "%s begun at %s; if no ssm-setup is at work, the next command takes it back or goes on with it", o.Action,
			o.Began.Local().Format(time.DateTime))
	}
	for _, s := range r.Unreadable {
		line("unreadable", "%s", s)
	}
	for _, s := range r.Warnings {
		line("warning", "%s", s)
	}
	line("logs", "%s", r.Logs)
	w.Flush()
	return b.String()
}

// changeText is how a change ended, in few words.
func changeText(o originals.Outcome) string {
	switch o.Kind {
	case originals.Installed:
		return fmt.Sprintf("installed %s", o.Target)
	case originals.Updated:
		return fmt.Sprintf("updated %s → %s", o.From, o.Target)
	case originals.WentBack:
		return fmt.Sprintf("rolled back %s → %s", o.From, o.Target)
	}
	return fmt.Sprintf("%s of %s failed, %s kept: %s", o.Action, o.Target, terminal.Dash(o.Running.String()), o.Reason)
}
