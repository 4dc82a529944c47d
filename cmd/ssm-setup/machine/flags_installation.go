package machine

import (
	"errors"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

func rootFlag() cli.Flag { return flags.Root() }

func waitFlag() cli.Flag {
	return &cli.DurationFlag{Name: "wait", Value: time.Minute, Usage: "how long to wait for the first healthy ping"}
}

// layoutOf is where the installation lies that --root names.
func layoutOf(c *cli.Context) (installer.Layout, error) { return flags.Layout(c) }

// installationOf is the installation that --root names; its steps are told by the printer.
func installationOf(c *cli.Context) (setup.Installation, error) {
	l, err := layoutOf(c)
	i := setup.Installation{Layout: l, Ports: Ports()}
	i.Ports.Step, i.Ports.Progress = terminal.Of(c).Step, terminal.Of(c).Progress
	return i, err
}

// Ports are what an installation asks of the agent.
func Ports() setup.Ports {
	return setup.Ports{Registered: identity.Registered, Configure: config.Set, UpdateEnded: updateEnded,
		EndPending: updater.EndPending, Probe: probe}
}

// updateEnded tells whether the last update ended less than age ago, and none is open.
func updateEnded(l installer.Layout, age time.Duration) bool {
	ledger, err := ledger.Read(l)
	return err == nil && ledger.Open == nil && ledger.Last != nil && time.Since(ledger.Last.Ended) < age
}

// placeOf is the region that an installation is to work with, and where its packages come from.
func placeOf(c *cli.Context, l installer.Layout) (flags.Place, error) {
	cfg, err := config.Load(l.ConfigFile())
	if err != nil {
		return flags.Place{}, terminal.Cannot("read", l.ConfigFile(), err)
	}
	_, region, _ := identity.Registered(l)
	p, err := flags.PlaceOf(c, flags.Needs{Services: true, Reached: cfg.Ssm.Endpoint != "", Installed: func() string { return region }})
	if err == nil && !strings.HasPrefix(p.RegionOrigin, "flag") {
		terminal.Of(c).Step("region %s, by %s", p.Region, p.RegionOrigin)
	}
	return p, err
}

// where names an installation for people.
func where(l installer.Layout) string { return flags.Where(l) }

// refusedBy gives a problem the words of a decision, where one was the cause.
func refusedBy(p *terminal.Problem) *terminal.Problem {
	var no *setup.NoOffer
	if errors.As(p.Cause, &no) {
		p.Kind, p.Name, p.Hint = fault.Refused, no.Answer.Code, strings.Join(no.Answer.Hints, "\n")
		if p.Hint == "" {
			p.Hint = "ssm-setup regions shows what each region serves"
		}
	}
	return p
}
