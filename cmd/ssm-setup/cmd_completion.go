package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/manual"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
)

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print the script with which a shell completes subcommands, flags and values",
		ArgsUsage: "bash|zsh|fish|powershell",
		Description: "The script is complete in itself: a shell that completes does not run ssm-setup. The packages bring those of bash, zsh " +
			"and fish along.",
		Action: func(c *cli.Context) error {
			shell := c.Args().First()
			text, ok := aboutOf(c).Completion(shell)
			switch {
			case shell == "" || c.NArg() > 1:
				return terminal.Usage("name one shell").WithHint("one of " + strings.Join(manual.Shells(), ", "))
			case !ok:
				p := terminal.Usage("there is no completion for %q", shell).WithHint("one of " + strings.Join(manual.Shells(), ", "))
				if meant := nearest(shell, manual.Shells()); meant != "" {
					p = p.WithHint("did you mean " + meant + "?")
				}
				return p
			}
			terminal.Of(c).Result(map[string]string{"shell": shell, "script": text}, "%s", text)
			return nil
		},
	}
}
