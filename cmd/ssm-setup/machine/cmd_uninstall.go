package machine

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
)

// Uninstall is the command uninstall.
func Uninstall() *cli.Command {
	return &cli.Command{
		Name:  "uninstall",
		Usage: "stop the agent and remove it",
		Description: "Removes programs and the versions that updates added. Data, logs, settings and the registration stay, unless\n" +
			"--purge is given. The region is not told: deregister the node there.",
		Flags:  []cli.Flag{rootFlag(), &cli.BoolFlag{Name: "purge", Usage: "remove data, logs, settings and the registration, too"}},
		Action: either(true, uninstall, uninstallOriginal),
	}
}

func uninstall(c *cli.Context) error {
	i, err := installationOf(c)
	if err != nil {
		return err
	}
	object := "the agent from " + where(i.Layout)
	version, err := i.Remove(c.Context)
	if err != nil {
		return terminal.Cannot("remove", object, err)
	}
	if c.Bool("purge") {
		if err := i.Purge(c.Context); err != nil {
			return terminal.Cannot("purge", object, err)
		}
	}
	removed := !version.IsZero()
	text := fmt.Sprintf("removed amazon-ssm-agent %s from %s", version, where(i.Layout))
	if !removed {
		text = "there is no agent on " + where(i.Layout)
	}
	if c.Bool("purge") {
		text += "; nothing of it is left"
	} else if removed {
		text += "; data, logs, settings and the registration stay (--purge removes them)"
	}
	terminal.Of(c).Result(map[string]any{"agent": "ours", "removed": removed, "version": version.String(), "root": i.Root,
		"purged": c.Bool("purge")}, "%s", text)
	return nil
}
