package main

import "github.com/urfave/cli/v2"

// verbs are the commands, in the order help shows them. One more verb is one file and one row.
var verbs = []func() *cli.Command{
	demoVerb,
	buildVerb,
	verifyVerb,
	publishVerb,
	promoteVerb,
	markVerb,
	mirrorVerb,
	installVerb,
	registerVerb,
	updateVerb,
	rollbackVerb,
	statusVerb,
	uninstallVerb,
	selfUpdateVerb,
	regionsVerb,
	localVerb,
}
