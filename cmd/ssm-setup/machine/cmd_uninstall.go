package machine

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/setup"
)

// Uninstall is the command uninstall.
func Uninstall() *cli.Command {
	return &cli.Command{
		Name:  "uninstall",
		Usage: "stop the agent and remove it",
		Description: "Removes programs and the versions that updates added. Data, logs, settings and the registration stay, unless\n" +
			"--purge is given. The region is not told: deregister the node there.",
		Flags: []cli.Flag{rootFlag(), &cli.BoolFlag{Name: "purge", Usage: "remove data, logs, settings and the registration, too"},
			dryRunFlag(), yesFlag()},
		Action: either(true, uninstall, uninstallOriginal),
	}
}

func uninstall(c *cli.Context) error {
	i, err := installationOf(c)
	if err != nil {
		return err
	}
	object := "the agent from " + where(i.Layout)
	out := terminal.Of(c)
	would, err := wouldRemove(i, c.Bool("purge"))
	if err != nil {
		return terminal.Cannot("remove", object, err)
	}
	if c.Bool("dry-run") {
		rehearse(out, would, nil)
		return nil
	}
	if err := out.Confirm(c.Context, c.Bool("yes"), "%s?", would); err != nil {
		return terminal.Cannot("remove", object, err)
	}
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
	text := fmt.Sprintf("removed amazon-ssm-agent (package version %s) from %s", version, where(i.Layout))
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

// wouldRemove says what an uninstall takes away.
func wouldRemove(i setup.Installation, purge bool) (string, error) {
	version, err := setup.PackageVersion(i.Layout)
	if err != nil {
		return "", err
	}
	text := "remove nothing: there is no agent on " + where(i.Layout)
	if !version.IsZero() {
		text = fmt.Sprintf("remove the agent (package version %s) from %s", version, where(i.Layout))
	}
	if purge {
		text += fmt.Sprintf(", with its registration, %s, %s and %s", i.Data(), i.Logs(), i.ConfigDir())
	}
	return text, nil
}
