package main

import "github.com/urfave/cli/v2"

// subcommands are listed in the order in which help shows them. One more is one file and one row.
var subcommands = []func() *cli.Command{
	demoCommand,
	buildCommand,
	verifyCommand,
	publishCommand,
	promoteCommand,
	markCommand,
	mirrorCommand,
	installCommand,
	registerCommand,
	updateCommand,
	rollbackCommand,
	statusCommand,
	uninstallCommand,
	selfUpdateCommand,
	regionsCommand,
	localCommand,
}
