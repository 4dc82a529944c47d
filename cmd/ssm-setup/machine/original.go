package machine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/installer/credentials"
	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// trustFlags say what counts as proof of who made a package of Amazon's.
func trustFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "key",
			Usage: "OpenPGP public key in `FILE` that a package of Amazon's agent has to be signed with;\n" +
				"give it several times for several"},
		&cli.BoolFlag{Name: "allow-unsigned",
			Usage: "take a package of Amazon's agent without a good signature from elsewhere than\n" +
				"Amazon's own bucket"},
	}
}

// trialFlags say how Amazon's agent is judged.
func trialFlags() []cli.Flag {
	return []cli.Flag{
		&cli.DurationFlag{Name: "trial", Value: time.Minute, Usage: "how long Amazon's agent is watched once it runs"},
		&cli.BoolFlag{Name: "confirm-with-service",
			Usage: "wait until AWS names the version of Amazon's agent, asked with the\n" +
				"credentials of this shell"},
	}
}

// originalOf is Amazon's agent of this system, judged as the flags say.
func originalOf(c *cli.Context, i setup.Installation) *originals.Agent {
	a := originals.Here(i)
	if a.Trial = c.Duration("trial"); a.Trial <= 0 {
		a.Trial = time.Minute
	}
	if c.Bool("confirm-with-service") {
		a.Confirm = func(ctx context.Context, region, id string) (string, error) { return askService(ctx, a, region, id) }
	}
	return a
}

// either runs a command for the agent that is installed: ours, under a root or on the system, or Amazon's on the system. changes tells that
// the command changes something, so that what ended in the middle has to be brought to an end first.
func either(changes bool, ours cli.ActionFunc, amazons func(*cli.Context, *originals.Agent) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		i, err := installationOf(c)
		if err != nil {
			return err
		}
		if !i.System() {
			return ours(c)
		}
		a := originalOf(c, i)
		kind, err := a.Installed(c.Context)
		if err != nil {
			return terminal.Cannot("look", "at what is installed", err)
		}
		if kind != originals.Original && changes && a.Unfinished() && !rehearsed(c) {
			if err := a.Settle(c.Context); err != nil {
				return terminal.Cannot("take back", "a change of Amazon's agent that ended in the middle", err)
			}
			if kind, err = a.Installed(c.Context); err != nil {
				return terminal.Cannot("look", "at what is installed", err)
			}
		}
		if kind == originals.Original {
			return amazons(c, a)
		}
		return ours(c)
	}
}

// rehearsed tells whether the command only says what it would do.
func rehearsed(c *cli.Context) bool { return c.Bool("dry-run") || c.Bool("check") }

// trustOf reads the keys that --key names.
func trustOf(c *cli.Context) (t originals.Trust, err error) {
	t.AllowUnsigned = c.Bool("allow-unsigned")
	for _, path := range c.StringSlice("key") {
		b, err := os.ReadFile(path)
		if err != nil {
			return t, terminal.Cannot("read", "--key "+path, err).WithHint("name a file that can be read").WithKind(unreadKind(err))
		}
		if err := t.Keys.ReadKeys(b); err != nil {
			return t, terminal.Cannot("read", "--key "+path, err)
		}
	}
	return t, nil
}

func unreadKind(err error) fault.Kind {
	if errors.Is(err, os.ErrPermission) {
		return fault.Permission
	}
	return fault.Usage
}

// sourceOf is where an installed original's packages come from: the flags', else the remembered source, else Amazon's bucket of its region.
func sourceOf(c *cli.Context, a *originals.Agent) (originals.Source, error) {
	record, err := a.ReadRecord()
	if err != nil {
		return originals.Source{}, terminal.Cannot("read", "what is known of Amazon's agent", err)
	}
	_, registered, _ := a.Ports.Registered(a.Layout)
	region := cmp.Or(c.String("region"), record.Region, registered, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))
	if region == "" {
		return originals.Source{}, terminal.Usage("it is not known which region this machine belongs to").
			WithHint("set AWS_REGION, or run ssm-setup install --region R once")
	}
	cfg, err := config.Load(a.ConfigFile())
	if err != nil {
		return originals.Source{}, terminal.Cannot("read", a.ConfigFile(), err)
	}
	s, err := sourceIn(cmp.Or(c.String("from"), c.String("source"), record.Source), region, cfg.S3.Endpoint, c.Bool("allow-insecure"))
	if c.String("from") != "" { // this one time
		s.Name = record.Source
	}
	if s.Signed = anchor.Look(a.Layout, nil, watchTrust(c)); !rehearsed(c) {
		s.Signed = anchor.Signed(a.Layout, watchTrust(c))
	}
	return remembered(a, s, record.Source), err
}

// remembered leaves a source out of the record where another account could exchange it: what was remembered before stays.
func remembered(a *originals.Agent, s originals.Source, before string) originals.Source {
	place, err := regions.ParseSource(s.Name)
	if err == nil {
		err = setup.CheckRemembered(a.Layout, place)
	}
	if err != nil {
		a.Ports.Step("the folder is used once and not remembered for updates: %v", err)
		s.Name = before
	}
	return s
}

// sourceIn is a source by its text.
func sourceIn(text, region, endpoint string, allowInsecure bool) (originals.Source, error) {
	s, err := regions.ParseSource(text)
	if err == nil {
		s, err = s.Absolute()
	}
	if err == nil {
		err = s.CheckNew(allowInsecure)
	}
	if err != nil {
		return originals.Source{}, terminal.Cannot("use", "source "+fault.Redact(text), err)
	}
	base, err := s.Base(region, endpoint)
	if err != nil {
		return originals.Source{}, terminal.Cannot("use", "region "+region, err)
	}
	return originals.Source{Region: region, Base: base, Name: s.String()}, nil
}

// askService asks the region for the version of the agent that pinged it last as a node, with the credentials of this shell.
func askService(ctx context.Context, a *originals.Agent, region, instanceID string) (string, error) {
	found, err := credentials.Find(ctx, region, "", "")
	if err != nil {
		return "", err
	}
	cfg, err := config.Load(a.ConfigFile())
	if err != nil {
		return "", err
	}
	endpoint, err := cloud.Endpoint("ssm", region, "", cfg.Ssm.Endpoint)
	if err != nil {
		return "", err
	}
	client, err := cloud.HTTP()
	if err != nil {
		return "", err
	}
	var answer struct {
		InstanceInformationList []struct{ AgentVersion, PingStatus string }
	}
	type filter struct {
		Key    string
		Values []string
	}
	ssm := cloud.New(cloud.Options{HTTP: client, Region: region, Endpoint: endpoint, Service: "ssm", Target: wire.TargetSSM,
		Credentials: found,
		Timeout:     20 * time.Second})
	in := map[string]any{"Filters": []filter{{"InstanceIds", []string{instanceID}}}}
	if err := ssm.Call(ctx, "DescribeInstanceInformation", in, &answer); err != nil {
		return "", err
	}
	if len(answer.InstanceInformationList) == 0 || answer.InstanceInformationList[0].PingStatus != "Online" {
		return "", fault.Wrap(fault.Unhealthy, fmt.Errorf("region %s does not see node %s online", region, instanceID), "")
	}
	return answer.InstanceInformationList[0].AgentVersion, nil
}
