package main

import (
	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/machine"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/playground"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/releases"
)

// subcommands are listed in the order in which help shows them. One more is one file and one row.
var subcommands = []func() *cli.Command{
	playground.Demo,
	releases.Build,
	releases.Verify,
	releases.Publish,
	releases.Promote,
	releases.Mark,
	releases.Mirror,
	machine.Install,
	machine.Register,
	machine.Update,
	machine.Rollback,
	machine.Status,
	machine.Uninstall,
	machine.SelfUpdate,
	releases.Regions,
	machine.Config,
	playground.Local,
	playground.Console,
}
