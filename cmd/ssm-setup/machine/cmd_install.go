package machine

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/current"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/rules"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/service"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Install is the command install.
func Install() *cli.Command {
	return &cli.Command{
		Name:  "install",
		Usage: "install the agent from a region, register it, start it and wait until it is healthy",
		Description: "Picks the package for this system (deb, rpm; with --root the portable archive), checks it against the region's\n" +
			"manifest, and says what it did. Running it again is harmless and finishes what was interrupted. Under --root,\n" +
			"and where no service manager runs, the agent is started in the background; then it does not survive a reboot.",
		Flags: append([]cli.Flag{
			flags.Region("region to install from and to register in"),
			flags.Source(),
			flags.Endpoint("the region's services"),
			&cli.StringFlag{Name: "version", Usage: "a version, latest, stable, or a constraint such as '>=9.1'; default what is " +
				"installed, else the newest"},
			rootFlag(),
			&cli.BoolFlag{Name: "allow-downgrade", Usage: "accept a version older than the installed one"},
			flags.Unknown(),
			flags.Insecure(),
			&cli.StringFlag{Name: "proxy", Usage: "`URL` of the proxy that the service is to use: http(s)://[user:password@]host:port; it is kept"},
			dryRunFlag(),
			waitFlag(),
			agentFlag(),
			trustFlag(),
		}, append(append(append(current.Flags(), trustFlags()...), trialFlags()...), activationFlags()...)...),
		Action: installEither,
	}
}

func install(c *cli.Context) error {
	began := time.Now()
	i, o, err := installOptions(c)
	if err != nil {
		return err
	}
	return installOurs(c, i, o, began)
}

// installOurs installs our agent.
func installOurs(c *cli.Context, i setup.Installation, o setup.Options, began time.Time) error {
	if c.Bool("dry-run") {
		return rehearseInstall(c, i, o)
	}
	r, err := i.Install(c.Context, o)
	if err != nil {
		return refusedBy(terminal.Cannot("install", "the agent on "+where(i.Layout)+" from region "+o.Region, err))
	}
	if r.InstanceID != "" && r.Running {
		took, err := i.AwaitPing(c.Context, r.InstanceID, r.Started, c.Duration("wait"))
		if err != nil {
			return terminal.Cannot("see", "the agent of "+where(i.Layout)+" become healthy", err)
		}
		r.Healthy = true
		i.Ports.Step("healthy after %.1f s", took.Seconds())
	}
	r.Seconds = time.Since(began).Seconds()
	terminal.Of(c).Result(r, "%s", installText(i.Layout, r))
	return nil
}

// rehearseInstall says what an installation would do.
func rehearseInstall(c *cli.Context, i setup.Installation, o setup.Options) error {
	r, err := i.Rehearse(c.Context, o)
	if err != nil {
		return refusedBy(terminal.Cannot("install", "the agent on "+where(i.Layout)+" from region "+o.Region, err))
	}
	would := fmt.Sprintf("keep amazon-ssm-agent (package version %s) on %s", r.Version, where(i.Layout))
	if r.Installed {
		would = fmt.Sprintf("install amazon-ssm-agent %s (%s) on %s from %s", r.Version, r.Format, where(i.Layout), r.Source)
	}
	switch {
	case r.Registered:
		would += " and register it in region " + r.Region
	case r.InstanceID != "":
		would += ", registered as " + r.InstanceID
	default:
		would += ", without a registration"
	}
	rehearse(terminal.Of(c), would, r)
	return nil
}

func installOptions(c *cli.Context) (i setup.Installation, o setup.Options, err error) {
	if i, err = installationOf(c); err != nil {
		return i, o, err
	}
	p, err := placeOf(c, i.Layout)
	if err != nil {
		return i, o, err
	}
	o = setup.Options{Region: p.Region, Source: p.Source, Endpoint: p.Endpoint, Version: c.String("version"),
		AllowDowngrade: c.Bool("allow-downgrade"), AllowInsecure: c.Bool("allow-insecure"), Authority: p.CA}
	if o.Version != "" && o.Version != "latest" && o.Version != "stable" {
		if _, err := manifests.ParseConstraint(o.Version); err != nil {
			return i, o, terminal.Usage("--version: %v", err)
		}
	}
	if o.Activation, err = activationOf(c, terminal.Of(c).In); err != nil {
		return i, o, err
	}
	if o.Trust, err = namedRoot(c); err != nil {
		return i, o, err
	}
	if o.Proxy, err = proxyOf(c, i); err != nil {
		return i, o, err
	}
	o.Permit = rules.Permit(i.Layout)
	return i, o, current.Wish(c, i.Layout, &o)
}

// installText is the outcome for people.
func installText(l installer.Layout, r setup.Result) string {
	s := fmt.Sprintf("installed amazon-ssm-agent %s (%s) on %s from region %s", r.Version, r.Format, where(l), r.Region)
	if !r.Installed {
		s = fmt.Sprintf("already installed: amazon-ssm-agent (package version %s, %s) on %s from region %s", r.Version, r.Format, where(l),
			r.Region)
	}
	switch {
	case r.InstanceID == "":
		s += "\nnot registered: run ssm-setup register --region " + r.Region + rootArgument(l) + " with an activation"
	case r.Registered:
		s += "\nregistered as " + r.InstanceID
	default:
		s += "\nregistered before, as " + r.InstanceID
	}
	switch {
	case r.Healthy:
		s += ", healthy"
	}
	if r.Trust != "" {
		s += "\nthe source is " + r.Trust
	}
	s += bootText(r)
	return s + fmt.Sprintf("\nall done after %.1f s", r.Seconds)
}

// bootText says of a service that it will not come back after a reboot.
func bootText(r setup.Result) string {
	switch {
	case r.Service == "none" && r.Root == "":
		return "\nno service manager runs here: the agent does not survive a restart of the container; run the same command again to " +
			"start it, or " +
			"boot this system with systemd"
	case r.Service == "none":
		return "\nit does not survive a reboot; run the same command again to start it"
	case r.Boot == service.Disabled:
		return "\nthe service is disabled: it does not come back after a reboot, unless it is enabled (systemctl enable " + service.Name() + ")"
	}
	return ""
}

func rootArgument(l installer.Layout) string {
	if l.System() {
		return ""
	}
	return " --root " + l.Root
}
