package current

import (
	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/trust"
	"github.com/ssm-setup/ssm-setup/updater/schedule"
)

// Flags say whether the agent follows its source by itself.
func Flags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "stay-current", Usage: "the agent follows its source's latest (with --version stable: stable) version by itself; " +
			"default on a machine that had no agent, unless --version names one. With --agent original the system " +
			"runs ssm-setup update every four hours"},
		&cli.BoolFlag{Name: "no-stay-current", Usage: "the agent does not stay current by itself; an earlier --stay-current is taken back"},
	}
}

// setting is the key of the settings that says what is followed.
const setting = "Agent.StayCurrent"

// Wish puts the flags' wish into the options. Without a flag a machine that had no agent stays current, unless a version is named
// or the source is none that is followed by itself; other machines keep what they have.
func Wish(c *cli.Context, l installer.Layout, o *setup.Options) error {
	follow := schedule.Latest
	if o.Version == schedule.Stable {
		follow = schedule.Stable
	}
	believe := func(manifest string) error {
		base, err := regions.BaseOfManifest(manifest, o.Region)
		if err == nil {
			_, err = schedule.Trust(base, anchor.With(l, o.Trust, trust.Watch{}) != nil)
		}
		return err
	}
	switch on, off := c.Bool("stay-current"), c.Bool("no-stay-current"); {
	case on && off:
		return terminal.Usage("--stay-current and --no-stay-current exclude each other")
	case off:
		o.Current = func(string, bool) (map[string]any, error) { return map[string]any{setting: ""}, nil }
	case on:
		o.Current = func(manifest string, _ bool) (map[string]any, error) {
			return map[string]any{setting: follow}, believe(manifest)
		}
	case o.Version == "" || o.Version == schedule.Latest || o.Version == schedule.Stable:
		out := terminal.Of(c)
		o.Current = func(manifest string, isNew bool) (map[string]any, error) {
			if !isNew {
				return nil, nil
			}
			if err := believe(manifest); err != nil {
				out.Step("the agent does not stay current by itself: %v", err)
				return nil, nil
			}
			return map[string]any{setting: follow}, nil
		}
	}
	return nil
}
