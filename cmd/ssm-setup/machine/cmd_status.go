package machine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/current"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/proxy"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/installer/store"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

// Status is the command status.
func Status() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show what is installed, what runs, and how the last update went",
		Description: "Needs no privileges for most of it. With --json one object. With --check the exit code says how it is, for scripts: " +
			"0 healthy, 11 not healthy, 12 not installed, 13 not running.",
		Flags: []cli.Flag{rootFlag(),
			&cli.BoolFlag{Name: "check", Usage: "exit code 12: not installed, 13: not running, 11: not healthy"},
			&cli.BoolFlag{Name: "watch", Usage: "show it again and again until interrupted"},
		},
		Action: either(false, status, statusOriginal),
	}
}

// statusResult is the object of status --json. Versions are four-part texts, empty where there is none. Its members are only ever
// added: floor and package_version, probation and on_trial are the same.
type statusResult struct {
	Agent          string           `json:"agent"` // ours; empty: none is installed
	Installed      bool             `json:"installed"`
	Root           string           `json:"root,omitempty"`
	Floor          string           `json:"floor"`
	PackageVersion string           `json:"package_version"` // what the package installed
	Active         string           `json:"active"`          // what is to run
	Previous       string           `json:"previous"`        // the fallback version: what a rollback goes back to
	SetAside       string           `json:"set_aside,omitempty"`
	Probation      bool             `json:"probation"`
	OnTrial        bool             `json:"on_trial"` // active is not confirmed yet
	Sequence       uint64           `json:"sequence"`
	Running        string           `json:"running"` // version that really runs
	Healthy        bool             `json:"healthy"` // it runs, and reached the service within the last two health intervals
	PID            int              `json:"pid,omitempty"`
	LauncherPID    int              `json:"launcher_pid,omitempty"`
	Service        string           `json:"service"` // linux-systemd …; none: a detached launcher
	InstanceID     string           `json:"instance_id"`
	Boot           string           `json:"boot,omitempty"` // enabled: it comes back after a reboot; disabled, masked: it does not
	Region         string           `json:"region"`
	Proxy          string           `json:"proxy,omitempty"`          // kept for the service, without its password
	Source         string           `json:"source"`                   // where updates come from
	PackageSource  string           `json:"package_source,omitempty"` // the same as people write it, where that is more
	Trust          *trustResult     `json:"trust,omitempty"`          // what updates are believed by
	StayCurrent    *current.Result  `json:"stay_current,omitempty"`   // absent: it follows nothing by itself
	Skew           *current.Skew    `json:"region_skew,omitempty"`    // absent: host and region agree, as far as was looked
	Pinged         time.Time        `json:"last_round_trip,omitzero"`
	Fault          string           `json:"last_fault,omitempty"`
	Death          string           `json:"last_death,omitempty"` // how an agent ended that was not asked to, within the last day
	Update         *ledger.Outcome  `json:"last_update"`
	UnderWay       *ledger.Update   `json:"update_under_way,omitempty"`
	Skip           []ledger.Blocked `json:"skip,omitempty"`
	Policy         *policy.Policy   `json:"policy,omitempty"` // what updates have to obey
	PolicyProblem  string           `json:"policy_problem,omitempty"`
	Logs           string           `json:"logs"`
	Unreadable     []string         `json:"unreadable,omitempty"` // what could not be read, and why
	Warnings       []string         `json:"warnings,omitempty"`   // what goes on working and should not stay so

	death launcher.Death // of last_death
}

func status(c *cli.Context) error {
	out := terminal.Of(c)
	layout, err := layoutOf(c)
	if err != nil {
		return err
	}
	look := func(ctx context.Context) (any, string, error) {
		r, err := readStatus(ctx, layout)
		if err != nil {
			return r, "", terminal.Cannot("read the state of", "the agent on "+where(layout), err)
		}
		if !r.Installed {
			return r, "there is no agent on " + where(layout), nil
		}
		return r, statusText(out, r), nil
	}
	if c.Bool("watch") {
		if c.Bool("check") {
			return terminal.Usage("--watch and --check exclude each other")
		}
		return out.Watch(c.Context, 2*time.Second, look)
	}
	r, text, err := look(c.Context)
	if err != nil {
		return err
	}
	out.Result(r, "%s", text)
	if c.Bool("check") {
		return checked(layout, r.(statusResult))
	}
	return nil
}

// checked is the problem that status --check ends with, nil where the agent is healthy.
func checked(l installer.Layout, r statusResult) error {
	kind, cause := fault.Kind(""), ""
	switch {
	case !r.Installed:
		kind, cause = fault.NotInstalled, "there is none"
	case r.PID == 0:
		kind, cause = fault.NotRunning, "it does not run"
	case r.InstanceID == "":
		kind, cause = fault.Unhealthy, "it runs and is not registered"
	case !r.Healthy:
		kind, cause = fault.Unhealthy, "it runs, but is not healthy: last ping "+pingText(r)
	default:
		return nil
	}
	return terminal.Cannot("call", "the agent on "+where(l)+" healthy", errors.New(cause)).WithKind(kind)
}

// readStatus collects the state of an installation. What cannot be read is named and left out.
func readStatus(ctx context.Context, l installer.Layout) (statusResult, error) {
	r := statusResult{Root: l.Root, Logs: l.Logs()}
	installed, err := setup.PackageVersion(l)
	if err != nil {
		return r, err
	}
	r.Installed, r.Floor, r.PackageVersion = !installed.IsZero(), installed.String(), installed.String()
	if r.Installed {
		r.Agent = string(originals.Ours)
	}
	miss := func(what string, err error) {
		if err != nil {
			r.Unreadable = append(r.Unreadable, fmt.Sprintf("%s: %v", what, err))
		}
	}
	state, err := store.Store{Paths: l.Pointer()}.Read()
	miss("the record of the active version", err)
	r.Active, r.Previous, r.SetAside = versionOf(state.Active, installed), versionOf(state.Previous, installed),
		versionOf(state.SetAside, installed)
	r.Probation, r.OnTrial, r.Sequence = state.Probation, state.Probation, state.Sequence
	r.InstanceID, r.Region, err = identity.Registered(l)
	miss("registration", err)
	cfg := config.Read(l)
	miss("settings", cfg.Fault)
	r.Source = cfg.Agent.UpdateSource
	r.PackageSource = fault.Redact(cfg.Agent.PackageSource)
	if r.Installed {
		r.readTrust(l, miss)
	}
	if a, known := proxy.Of(l); known {
		r.Proxy = a.Redacted()
	}
	r.StayCurrent = current.Of(l, cfg.Config, r.Region)
	r.Warnings = append(r.Warnings, insecureWarnings(cfg.Config)...)
	r.readAgent(l, 2*time.Duration(max(1, cfg.Ssm.HealthFrequencyMinutes))*time.Minute)
	r.Warnings = append(r.Warnings, sourceWarnings(cfg.Config, cmp.Or(r.Region, unregisteredRegion(cfg.Agent.UpdateSource)), r.Pinged)...)
	ledger, err := ledger.Read(l)
	miss("the record of updates", err)
	r.Update, r.UnderWay, r.Skip = ledger.Last, ledger.Open, ledger.Skip
	r.readPolicy(l)
	r.Skew = current.SkewOf(r.Running, r.Update, r.StayCurrent)
	if s, err := service.Of(l).Status(); err == nil {
		r.Service, r.Boot = s.Kind, s.Boot
		if r.Service != "none" && r.Boot != "" && r.Boot != service.Enabled {
			r.Warnings = append(r.Warnings, "the service is "+r.Boot+": it does not come back after a reboot")
		}
	}
	if d := service.SlowRestart(ctx, l); d > 0 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("the service's unit has lost its additions: systemd starts a killed agent again after %s "+
			"only; ssm-setup install puts them back", d))
	}
	return r, nil
}

// readTrust reads by which root updates are verified, and what of it ends soon.
func (r *statusResult) readTrust(l installer.Layout, miss func(what string, err error)) {
	t, err := trustOfMachine(l)
	miss("the root of trust", err)
	switch {
	case t.Trusted:
		t.By = ledger.ByRoot
	case r.Source != "":
		t.By = ledger.TrustOf(0, "", r.Source).By
	default:
		return // nothing is followed
	}
	r.Trust, r.Warnings = &t, append(r.Warnings, t.Warnings...)
}

// readPolicy fills in what updates have to obey.
func (r *statusResult) readPolicy(l installer.Layout) {
	p, err := policy.Read(l)
	if err == nil && !p.Empty() {
		r.Policy = &p
		err = p.Check(time.Now())
	}
	if err != nil {
		r.PolicyProblem = err.Error()
		r.Warnings = append(r.Warnings, "the update policy cannot be obeyed, so nothing is updated: "+r.PolicyProblem)
	}
}

// insecureWarnings names the addresses in the settings that are plain http to another machine.
func insecureWarnings(cfg config.Config) (list []string) {
	for _, a := range []struct{ what, address string }{{"updates come", cfg.Agent.UpdateSource}, {"Ssm.Endpoint is reached", cfg.Ssm.Endpoint},
		{"Mds.Endpoint is reached", cfg.Mds.Endpoint}, {"Mgs.Endpoint is reached", cfg.Mgs.Endpoint},
		{"S3.Endpoint is reached", cfg.S3.Endpoint}} {
		if regions.Insecure(a.address) {
			list = append(list, a.what+" over plain http from another machine: what answers there is not known; use an https address")
		}
	}
	return list
}

// sourceWarnings tells of settings about sources that contradict each other, and of services that were sought at a mirror and never found.
func sourceWarnings(cfg config.Config, region string, pinged time.Time) (list []string) {
	if _, note, _ := regions.Remembered(cfg.Agent.PackageSource, cfg.Agent.UpdateSource, region, cfg.S3.Endpoint); note != "" {
		list = append(list, note)
	}
	if at, is := addressesOf(cfg).MirrorAsService(region); is && pinged.IsZero() {
		list = append(list, fmt.Sprintf("the services of region %s are sought at %s, where packages come from and no service answered yet: if "+
			"that is a mirror, ssm-setup install --region %s --source %s gives them their own addresses back", region, fault.Redact(at), region,
			fault.Word(fault.Redact(regions.WithScheme(at)))))
	}
	return list
}

// unregisteredRegion is the region whose bucket updates come from, for a host that is registered in none.
func unregisteredRegion(manifest string) string {
	base, err := regions.BaseOfManifest(manifest, "")
	if err != nil {
		return ""
	}
	_, region, _ := strings.Cut(base[strings.LastIndexByte(base, '/')+1:], regions.Bucket(""))
	return region
}

// readAgent fills in what the locks and the pulse say. recent is how long ago the last round trip of a healthy agent may be.
func (r *statusResult) readAgent(l installer.Layout, recent time.Duration) {
	r.LauncherPID, _ = launcher.Running(l.Pointer())
	pid, running := launcher.AgentRunning(l.Pointer())
	pulse, err := installer.ReadPulse(l.Pulse())
	if err != nil {
		pulse = installer.Pulse{}
	}
	r.Pinged, r.Fault = pulse.LastRoundTrip, pulse.LastFault
	if d, err := launcher.ReadDeath(l.Pointer()); err == nil && time.Since(d.At) < 24*time.Hour {
		r.death, r.Death = d, fmt.Sprintf("%s, %s ago: %s", d.Version, time.Since(d.At).Round(time.Second), d.How)
	}
	if running {
		r.PID = pid
		if pid == pulse.PID || pid == 0 {
			r.Running = pulse.Version
			r.Healthy = time.Since(pulse.LastRoundTrip) < recent
		}
	}
}

// versionOf is the version of a target, the package's own for the package.
func versionOf(t pointer.Target, installed manifests.Version) string {
	if t.IsFloor() {
		return installed.String()
	}
	return t.Version
}
