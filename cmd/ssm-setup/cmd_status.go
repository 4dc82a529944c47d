package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/installer/store"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:        "status",
		Usage:       "show what is installed, what runs, and how the last update went",
		Description: "Needs no privileges for most of it. With --json one object.",
		Flags:       []cli.Flag{rootFlag()},
		Action:      status,
	}
}

// statusResult is the object of status --json. Versions are four-part texts, empty where there is none.
type statusResult struct {
	Installed   bool              `json:"installed"`
	Root        string            `json:"root,omitempty"`
	Floor       string            `json:"floor"`    // what the package installed
	Active      string            `json:"active"`   // what the pointer says is to run
	Previous    string            `json:"previous"` // what a rollback goes back to
	SetAside    string            `json:"set_aside,omitempty"`
	Probation   bool              `json:"probation"` // active has yet to prove itself
	Sequence    uint64            `json:"sequence"`
	Running     string            `json:"running"` // version that really runs
	PID         int               `json:"pid,omitempty"`
	LauncherPID int               `json:"launcher_pid,omitempty"`
	Service     string            `json:"service"` // linux-systemd …; none: a detached launcher
	InstanceID  string            `json:"instance_id"`
	Region      string            `json:"region"`
	Source      string            `json:"source"` // where updates come from
	Pinged      time.Time         `json:"last_round_trip,omitzero"`
	Fault       string            `json:"last_fault,omitempty"`
	Death       string            `json:"last_death,omitempty"` // how an agent ended that nobody asked to, within the last day
	Update      *updater.Outcome  `json:"last_update"`
	UnderWay    *updater.Update   `json:"update_under_way,omitempty"`
	Skip        []updater.Blocked `json:"skip,omitempty"`
	Logs        string            `json:"logs"`
	Unreadable  []string          `json:"unreadable,omitempty"` // what could not be read, and why
}

func status(c *cli.Context) error {
	out := printerOf(c)
	layout, err := layoutOf(c)
	if err != nil {
		return err
	}
	r, err := lookAt(layout)
	if err != nil {
		return cannot("look at", "the agent on "+where(layout), err)
	}
	if !r.Installed {
		out.result(r, "there is no agent on %s", where(layout))
		return nil
	}
	out.result(r, "%s", statusText(r))
	return nil
}

// lookAt collects the state of an installation. What cannot be read is named and left out.
func lookAt(l installer.Layout) (statusResult, error) {
	r := statusResult{Root: l.Root, Logs: l.Logs()}
	floor, err := setup.PackageVersion(l)
	if err != nil {
		return r, err
	}
	r.Installed, r.Floor = !floor.IsZero(), floor.String()
	miss := func(what string, err error) {
		if err != nil {
			r.Unreadable = append(r.Unreadable, fmt.Sprintf("%s: %v", what, err))
		}
	}
	state, err := store.Store{Paths: l.Pointer()}.Read()
	miss("pointer", err)
	r.Active, r.Previous, r.SetAside = versionOf(state.Active, floor), versionOf(state.Previous, floor), versionOf(state.SetAside, floor)
	r.Probation, r.Sequence = state.Probation, state.Sequence
	r.InstanceID, r.Region, err = identity.Registered(l)
	miss("registration", err)
	cfg, err := config.Load(l.ConfigFile())
	miss("settings", err)
	r.Source = cfg.Agent.UpdateSource
	r.running(l)
	ledger, err := updater.ReadLedger(l)
	miss("ledger", err)
	r.Update, r.UnderWay, r.Skip = ledger.Last, ledger.Open, ledger.Skip
	if s, err := service.Of(l).Status(); err == nil {
		r.Service = s.Kind
	}
	return r, nil
}

// running fills in what the locks and the pulse say.
func (r *statusResult) running(l installer.Layout) {
	r.LauncherPID, _ = launcher.Running(l.Pointer())
	pid, running := launcher.AgentRunning(l.Pointer())
	pulse, err := installer.ReadPulse(l.Pulse())
	if err != nil {
		pulse = installer.Pulse{}
	}
	r.Pinged, r.Fault = pulse.LastRoundTrip, pulse.LastFault
	if d, err := launcher.ReadDeath(l.Pointer()); err == nil && time.Since(d.At) < 24*time.Hour {
		r.Death = fmt.Sprintf("%s, %s ago: %s", d.Version, time.Since(d.At).Round(time.Second), d.How)
	}
	if running {
		r.PID = pid
		if pid == pulse.PID || pid == 0 {
			r.Running = pulse.Version
		}
	}
}

// versionOf is the version of a target; the floor's own for the floor.
func versionOf(t pointer.Target, floor manifests.Version) string {
	if t.IsFloor() {
		return floor.String()
	}
	return t.Version
}

func statusText(r statusResult) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t"+format+"\n", append([]any{name}, args...)...)
	}
	line("running", "%s", orNothing(r.Running, r.PID))
	active := r.Active
	if r.Probation {
		active += " (on probation)"
	}
	line("active", "%s", active)
	line("previous", "%s", dash(r.Previous))
	line("floor", "%s", r.Floor)
	if r.SetAside != "" {
		line("set aside", "%s", r.SetAside)
	}
	line("node", "%s", dash(strings.TrimSpace(r.InstanceID+" "+r.Region)))
	line("last ping", "%s", ago(r.Pinged, r.Fault))
	if r.Death != "" {
		line("last death", "%s", r.Death)
	}
	line("updates from", "%s", dash(r.Source))
	line("last update", "%s", updateText(r.Update))
	if r.UnderWay != nil {
		line("under way", "update to %s: %s", r.UnderWay.ToVersion, r.UnderWay.Stop)
	}
	for _, s := range r.Skip {
		line("held back", "%s: %s", s.Version, s.Reason)
	}
	for _, s := range r.Unreadable {
		line("unreadable", "%s", s)
	}
	line("logs", "%s", r.Logs)
	w.Flush()
	return b.String()
}

func orNothing(version string, pid int) string {
	switch {
	case version != "":
		return fmt.Sprintf("%s (process %d)", version, pid)
	case pid > 0:
		return fmt.Sprintf("process %d, of unknown version", pid)
	}
	return "nothing"
}

func ago(at time.Time, fault string) string {
	text := "never"
	if !at.IsZero() {
		text = fmt.Sprintf("%s ago", time.Since(at).Round(time.Second))
	}
	if fault != "" {
		text += "; last fault: " + fault
	}
	return text
}

func updateText(o *updater.Outcome) string {
	if o == nil {
		return "-"
	}
	text := fmt.Sprintf("%s from %s to %s, %s", o.Kind, dash(o.FromVersion.String()), dash(o.ToVersion.String()), o.Ended.Local().Format("2006-01-02 15:04:05"))
	if o.Reason != "" {
		text += ": " + o.Reason
	}
	return text
}
