package machine

import (
	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
)

// dryRunFlag is for commands that change something.
func dryRunFlag() cli.Flag {
	return &cli.BoolFlag{Name: "dry-run", Usage: "only show what would be done"}
}

// yesFlag is for commands that take something away: they ask on a terminal, and go on without a question elsewhere.
func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask; without a terminal nothing is asked either"}
}

// rehearsal is the answer of a dry run.
type rehearsal struct {
	DryRun bool   `json:"dry_run"`
	Would  string `json:"would"` // what would be done, in words
	Data   any    `json:"plan,omitempty"`
}

// rehearse tells what would be done.
func rehearse(out *terminal.Printer, would string, data any) {
	out.Result(rehearsal{true, would, data}, "would %s; nothing was changed (--dry-run)", would)
}
