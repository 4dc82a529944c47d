package machine

import (
	"errors"
	"fmt"
	"os/exec"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// errOldAgent says that the installed agent's updater reads no other source than its settings'.
var errOldAgent = fault.New(fault.Refused, "the agent that is installed is too old for it: it reads its packages from a web address only",
	"update it once from its region, or from a mirror on a web server, with ssm-setup update --source ADDRESS")

// sourceFlags are those of a command that takes another source than the host remembers.
func sourceFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "source", Usage: "take packages from `PLACE` from now on: an address with {Region}, s3://bucket/prefix, a " +
			"mirror's address, or a folder; default what the host remembers"},
		&cli.StringFlag{Name: "from", Usage: "take packages from the `FOLDER` of a mirror this one time"},
		flags.Insecure(),
	}
}

// takeSource reads sourceFlags. What --source names is checked and read before it is written down; with --check it is not written down.
func takeSource(c *cli.Context, l installer.Layout, r *ledger.Request) error {
	named, once := c.String("source"), c.String("from")
	switch {
	case named == "" && once == "":
		return nil
	case named != "" && once != "":
		return terminal.Usage("--from is for this one time, --source for all later updates: give one of them")
	}
	text := named + once
	source, err := regions.ParseSource(text)
	if err == nil {
		source, err = source.Absolute()
	}
	_, isFolder := source.Directory()
	if err == nil && once != "" && !isFolder {
		return terminal.Usage("--from takes a folder").WithHint("ssm-setup update --source names another place, and remembers it")
	}
	manifest := ""
	if err == nil {
		manifest, err = checkSource(c, l, source, once != "")
	}
	if err == nil {
		r.Source, r.Once = manifest, true
		if isFolder || c.Bool("check") {
			_, err = askUpdater(c, l, *r)
		}
	}
	if err != nil {
		return terminal.Cannot("use", "the source "+fault.Redact(text), err)
	}
	if once != "" || c.Bool("check") {
		return nil
	}
	r.Source, r.Once = "", false
	if err := config.Set(l.ConfigFile(), source.Settings(manifest)); err != nil {
		return terminal.Cannot("write", l.ConfigFile(), err)
	}
	terminal.Of(c).Step("updates come from %s from now on", fault.Redact(source.String()))
	return nil
}

// checkSource is the address of the manifest in a source, which can be read, and which this host may obey.
func checkSource(c *cli.Context, l installer.Layout, s regions.Source, once bool) (manifest string, err error) {
	cfg, err := config.Load(l.ConfigFile())
	if err != nil {
		return "", err
	}
	_, region, _ := identity.Registered(l)
	if region == "" {
		carried, err := flags.CarriedBy(c.Context, s)
		if err != nil || len(carried.Regions) != 1 {
			return "", fault.Wrap(fault.Usage, errors.New("this host is registered in no region, and the source does not carry just one"),
				"register it first: ssm-setup register")
		}
		region = carried.Regions[0]
	}
	if err := s.CheckNew(c.Bool("allow-insecure")); err != nil {
		return "", err
	}
	if !once {
		if err := setup.CheckRemembered(l, s); err != nil {
			return "", fault.Wrap(fault.Permission, err, "copy it to a folder that other accounts cannot write, or use it once with --from")
		}
	}
	endpoint := cfg.S3.Endpoint
	if _, mirror := addressesOf(cfg).MirrorAsService(region); mirror {
		endpoint = ""
	}
	base, err := s.Base(region, endpoint)
	if err != nil {
		return "", err
	}
	_, err = bucket.New(bucket.Options{Base: base, Retries: 1, Signed: anchor.Look(l, nil, watchTrust(c))}).Manifest(c.Context)
	return base + "/" + regions.ManifestKey, err
}

// addressesOf are the addresses in a host's settings.
func addressesOf(cfg config.Config) (a setup.Addresses) {
	a.Agent.UpdateSource, a.Agent.PackageSource = cfg.Agent.UpdateSource, cfg.Agent.PackageSource
	a.Ssm.Endpoint, a.Mds.Endpoint, a.Mgs.Endpoint, a.S3.Endpoint = cfg.Ssm.Endpoint, cfg.Mds.Endpoint, cfg.Mgs.Endpoint, cfg.S3.Endpoint
	return a
}

// tooOld tells whether an updater did not understand an order that needs what came later than it.
func tooOld(err error, r ledger.Request) error {
	var exit *exec.ExitError
	if r.Once && errors.As(err, &exit) && exit.ExitCode() == fault.Usage.ExitCode() {
		return fmt.Errorf("%w: %w", errOldAgent, exitText(err))
	}
	return exitText(err)
}
