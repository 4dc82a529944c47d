package machine

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Rollback is the command rollback.
func Rollback() *cli.Command {
	return &cli.Command{
		Name:  "rollback",
		Usage: "go back to the fallback version; needs no network",
		Description: "The fallback version lies on this machine. One that was confirmed here before runs at once. Scheduled updates skip\n" +
			"the version that was left for a while. A second rollback goes to the version that the first one left; the command says so, and\n" +
			"asks first on a terminal.",
		Flags:  append([]cli.Flag{rootFlag(), dryRunFlag(), yesFlag()}, trialFlags()[:1]...),
		Action: either(true, rollback, rollbackOriginal),
	}
}

func rollback(c *cli.Context) error {
	l, err := installed(c)
	if err != nil {
		return err
	}
	out := terminal.Of(c)
	r, err := readStatus(c.Context, l)
	if err != nil {
		return terminal.Cannot("roll back", "the agent on "+where(l), err)
	}
	if r.wentBackFrom(r.Previous) {
		out.Warn("the fallback version %s is the one that the last rollback left: this goes to it again, from %s", r.Previous, r.Active)
		if err := out.Confirm(c.Context, c.Bool("yes") || c.Bool("dry-run"), "go to %s again?", r.Previous); err != nil {
			return terminal.Cannot("roll back", "the agent on "+where(l), err)
		}
	}
	if c.Bool("dry-run") {
		if r.Previous == "" || r.Previous == r.Active {
			rehearse(out, "do nothing: there is no fallback version on "+where(l), nil)
			return nil
		}
		rehearse(out, fmt.Sprintf("go back from %s to %s on %s", r.Active, r.Previous, where(l)),
			map[string]string{"from": r.Active, "to": r.Previous})
		return nil
	}
	return order(c, l, ledger.Request{Want: ledger.Previous, Why: ledger.ByRollback}, "roll back")
}

// wentBackFrom tells whether the last change on this host was a rollback from that version.
func (r statusResult) wentBackFrom(version string) bool {
	return version != "" && r.Update != nil && r.Update.Kind == ledger.WentBack && r.Update.FromVersion.String() == version &&
		r.Update.ToVersion.String() == r.Active
}
