package main

import (
	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/updater"
)

func rollbackCommand() *cli.Command {
	return &cli.Command{
		Name:  "rollback",
		Usage: "go back to the version before; needs no network",
		Description: "The version before lies on this machine. One that proved itself here runs at once; scheduled updates keep away from\n" +
			"the version left for a while.",
		Flags:  []cli.Flag{rootFlag()},
		Action: rollback,
	}
}

func rollback(c *cli.Context) error {
	l, err := installed(c)
	if err != nil {
		return err
	}
	return order(c, l, updater.Request{Want: updater.Previous, Why: updater.ByRollback}, "roll back")
}
