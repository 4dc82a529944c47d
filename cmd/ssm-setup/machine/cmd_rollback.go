package machine

import (
	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Rollback is the command rollback.
func Rollback() *cli.Command {
	return &cli.Command{
		Name:  "rollback",
		Usage: "go back to the fallback version; needs no network",
		Description: "The fallback version lies on this machine. One that was confirmed here before runs at once. Scheduled updates leave\n" +
			"the version out that was left, for a while.",
		Flags:  append([]cli.Flag{rootFlag()}, trialFlags()[:1]...),
		Action: either(true, rollback, rollbackOriginal),
	}
}

func rollback(c *cli.Context) error {
	l, err := installed(c)
	if err != nil {
		return err
	}
	return order(c, l, ledger.Request{Want: ledger.Previous, Why: ledger.ByRollback}, "roll back")
}
