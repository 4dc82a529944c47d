package main

import (
	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/fleet"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/logs"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/machine"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/playground"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/releases"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/rules"
)

// subcommands are listed in the order in which help shows them. One more is one file and one row.
var subcommands = []func() *cli.Command{
	machine.Install,
	machine.Register,
	machine.Status,
	machine.Update,
	machine.Rollback,
	rules.Why,
	rules.Hold,
	rules.Unhold,
	rules.Policy,
	rules.Unblock,
	machine.Versions,
	logs.Logs,
	machine.Trust,
	machine.Uninstall,
	releases.Regions,
	fleet.NodesCommand,
	releases.Build,
	releases.Verify,
	releases.Publish,
	releases.Promote,
	releases.Mark,
	releases.Mirror,
	releases.Keys,
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
