package main

import (
	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/fleet"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/machine"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/playground"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/releases"
)

// subcommands are listed in the order in which help shows them. One more is one file and one row.
var subcommands = []func() *cli.Command{
	machine.Install,
	machine.Register,
	machine.Status,
	machine.Update,
	machine.Rollback,
	machine.Versions,
	machine.Logs,
	machine.Uninstall,
	releases.Regions,
	fleet.NodesCommand,
	releases.Build,
	releases.Verify,
	releases.Publish,
	releases.Promote,
	releases.Mark,
	releases.Mirror,
	playground.Local,
	playground.Console,
	playground.Demo,
	machine.Config,
	machine.SelfUpdate,
	versionCommand,
	completionCommand,
	manCommand,
	helpCommand,
}
