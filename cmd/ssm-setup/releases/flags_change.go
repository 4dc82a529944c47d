package releases

import "github.com/urfave/cli/v2"

// yesFlag is for commands that take something away: they ask on a terminal, and go on without a question elsewhere.
func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask; without a terminal nothing is asked either"}
}
