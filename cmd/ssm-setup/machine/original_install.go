package machine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/current"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/rules"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// agentFlag is --agent.
func agentFlag() cli.Flag {
	return &cli.StringFlag{Name: "agent",
		Usage: "ours or original (Amazon's own, by its own packages); default what is installed, else what the source\n" +
			"offers, ours where it offers both. Naming the other one moves this machine to it"}
}

// installEither installs the agent that is asked for, is there, or is offered.
func installEither(c *cli.Context) error {
	asked, err := originals.ParseKind(c.String("agent"))
	if err != nil {
		return terminal.Usage("%v", err)
	}
	i, err := installationOf(c)
	if err != nil {
		return err
	}
	if !i.System() {
		if asked == originals.Original {
			return terminal.Usage("--agent original and --root exclude each other").WithHint("Amazon's packages install on the system only")
		}
		return install(c)
	}
	began := time.Now()
	i, o, err := installOptions(c)
	if err != nil {
		return err
	}
	a := originalOf(c, i)
	source, trust, err := originalSource(c, o)
	if err == nil {
		source = remembered(a, source, "")
	}
	if err != nil {
		return err
	}
	installed, err := a.Installed(c.Context)
	if err != nil {
		return terminal.Cannot("look", "at what is installed", err)
	}
	kind, err := chosen(c, originals.Wish{Asked: asked, Installed: installed, Version: o.Version},
		func() (originals.Offered, error) { return a.Offers(c.Context, source.Client()) })
	if err != nil {
		return refusedBy(terminal.Cannot("install", "the agent on this system from region "+o.Region, err))
	}
	options := originals.Options{Source: source, Trust: trust, Version: o.Version, AllowDowngrade: o.AllowDowngrade, Activation: o.Activation,
		Override: o.Override, Settings: endpointSettings(o.Endpoint), Proxy: o.Proxy, Authority: o.Authority,
		AskService: c.Bool("confirm-with-service"), Permit: rules.Obeys(a.Layout, ledger.BySetup, o.Version, false)}
	if kind == originals.Original {
		if err := errors.Join(o.Source.CheckNew(o.AllowInsecure), regions.CheckNew(o.Endpoint, o.AllowInsecure)); err != nil {
			return terminal.Cannot("install", "Amazon's agent on this system from region "+o.Region, err)
		}
	}
	switch {
	case rehearsed(c) && kind == originals.Original:
		return rehearseOriginal(c, a, options)
	case kind == originals.Original:
		return installOriginal(c, a, options, o.Trust, began)
	case installed == originals.Original && !rehearsed(c):
		return moveToOurs(c, a, o, options, began)
	case a.Unfinished() && !rehearsed(c):
		if err := a.Settle(c.Context); err != nil {
			return terminal.Cannot("take back", "a change of Amazon's agent that ended in the middle", err)
		}
	}
	return installOurs(c, i, o, began)
}

// originalSource is where packages come from, and what counts as proof.
func originalSource(c *cli.Context, o setup.Options) (originals.Source, originals.Trust, error) {
	trust, err := trustOf(c)
	if err != nil {
		return originals.Source{}, trust, err
	}
	s, err := sourceIn(o.Source.String(), o.Region, o.Endpoint, true) // who installs decides about plain http
	s.Signed = anchor.With(installer.At(c.String("root")), o.Trust, watchTrust(c))
	return s, trust, err
}

// endpointSettings are those of a region that is not AWS's own.
func endpointSettings(endpoint string) map[string]any {
	if endpoint == "" {
		return nil
	}
	set := map[string]any{}
	for _, section := range []string{"Ssm", "Mds", "Mgs", "S3"} {
		set[section+".Endpoint"] = regions.WithScheme(endpoint)
	}
	return set
}

func installOriginal(c *cli.Context, a *originals.Agent, o originals.Options, root []byte, began time.Time) error {
	unpin, err := pinNamed(a.Layout, root)
	if err != nil {
		return terminal.Cannot("pin", "the root of trust of "+where(a.Layout), err)
	}
	if o.Ours, err = sourceOfOurs(a, o); err != nil {
		unpin()
		return err
	}
	r, err := a.Install(c.Context, o)
	if err != nil {
		unpin()
		return refusedBy(terminal.Cannot("install", "Amazon's agent on this system from region "+o.Source.Region, err))
	}
	if err := current.Original(c); err != nil {
		return err
	}
	r.Seconds = time.Since(began).Seconds()
	terminal.Of(c).Result(r, "%s", originalText(r))
	return nil
}

// pinNamed pins the root that was named, if one was. unpin takes that back.
func pinNamed(l installer.Layout, root []byte) (unpin func(), err error) {
	if root == nil {
		return func() {}, nil
	}
	if err := setup.CheckPrivileges(l); err != nil {
		return nil, err
	}
	fresh, err := anchor.Pin(l, root)
	return func() {
		if fresh {
			_ = anchor.Unpin(l)
		}
	}, err
}

// sourceOfOurs is where our installed package can be had again: where this host's updates come from, else the source of this command.
func sourceOfOurs(a *originals.Agent, o originals.Options) (originals.Source, error) {
	cfg, err := config.Load(a.ConfigFile())
	if err != nil {
		return o.Source, terminal.Cannot("read", a.ConfigFile(), err)
	}
	ours := o.Source
	if base, err := regions.BaseOfManifest(cfg.Agent.UpdateSource, o.Source.Region); err == nil {
		ours.Base = base
	}
	return ours, nil
}

// originalText is the outcome of an installation of Amazon's agent for people.
func originalText(r setup.Result) string {
	text := "already installed:"
	if r.Installed {
		text = "installed"
	}
	text = fmt.Sprintf("%s Amazon's own amazon-ssm-agent %s (%s) on this system from region %s\n%s", text, r.Version, r.Format, r.Region,
		cmp.Or(r.Signature, "signature not checked: it was here before"))
	switch {
	case r.InstanceID == "":
		text += "\nnot registered with an activation: an EC2 instance with a role needs none, else run ssm-setup register --region " + r.Region
	case r.Registered:
		text += "\nregistered as " + r.InstanceID
	default:
		text += "\nregistered before, as " + r.InstanceID
	}
	switch {
	case r.Confirmed:
		text += ", and the service names it as online"
	case r.Healthy && r.InstanceID != "":
		text += ", healthy as far as this host can tell"
	}
	return text + bootText(r) + fmt.Sprintf("\nall done after %.1f s", r.Seconds)
}

// moveToOurs puts ours in the place of Amazon's agent.
func moveToOurs(c *cli.Context, a *originals.Agent, o setup.Options, options originals.Options, began time.Time) error {
	var r setup.Result
	record, err := a.ReadRecord()
	if err != nil {
		return terminal.Cannot("read", "what is known of Amazon's agent", err)
	}
	from, err := sourceIn(record.Source, o.Region, o.Endpoint, true) // its package is kept, or it came from there
	if err != nil {
		return err
	}
	from.Signed = options.Source.Signed
	options.Source, o.TakeOver = from, true
	err = a.ToOurs(c.Context, options, func(ctx context.Context) error {
		var err error
		if r, err = a.Installation.Install(ctx, o); err != nil || r.InstanceID == "" || !r.Running {
			return err
		}
		_, err = a.AwaitPing(ctx, r.InstanceID, r.Started, c.Duration("wait"))
		r.Healthy = err == nil
		return err
	})
	if err != nil {
		return refusedBy(terminal.Cannot("move", "this system from Amazon's agent to ours", err))
	}
	if err := current.LeaveOriginal(c.Context); err != nil {
		terminal.Of(c).Step("%v", err)
	}
	r.Seconds = time.Since(began).Seconds()
	terminal.Of(c).Result(r, "%s", "Amazon's agent gave way to ours\n"+installText(a.Layout, r))
	return nil
}

// rehearseOriginal says what would be installed.
func rehearseOriginal(c *cli.Context, a *originals.Agent, o originals.Options) error {
	out, err := a.Would(c.Context, o)
	if err != nil {
		return refusedBy(terminal.Cannot("install", "Amazon's agent on this system from region "+o.Source.Region, err))
	}
	terminal.Of(c).Result(out, "would install Amazon's own agent: %s", out.Detail)
	return nil
}
