package main

import (
	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/manual"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
)

func manCommand() *cli.Command {
	return &cli.Command{
		Name:      "man",
		Usage:     "print the manual page, of all subcommands or of one",
		ArgsUsage: "[SUBCOMMAND]",
		Description: "The page is written for man: groff and mandoc read it. The packages bring it along as ssm-setup(1). With --markdown it " +
			"is a reference for the web.",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "markdown", Usage: "print Markdown"}},
		Action: func(c *cli.Context) error {
			about := aboutOf(c)
			if name := c.Args().First(); name != "" {
				command, ok := about.Find(name)
				if !ok {
					return unknownCommand(c.App, name)
				}
				about.Commands = []manual.Command{command}
			}
			text := about.Page()
			if c.Bool("markdown") {
				text = about.Reference()
			}
			terminal.Of(c).Result(map[string]string{"page": text}, "%s", text)
			return nil
		},
	}
}

func helpCommand() *cli.Command {
	return &cli.Command{
		Name:        "help",
		Usage:       "show the subcommands, or one of them with its flags and examples",
		ArgsUsage:   "[SUBCOMMAND]",
		Description: "ssm-setup SUBCOMMAND --help shows the same.",
		Action: func(c *cli.Context) error {
			out, about := terminal.Of(c), aboutOf(c)
			text := about.Help(out.Width())
			if name := c.Args().First(); name != "" {
				command, ok := about.Find(name)
				if !ok {
					return unknownCommand(c.App, name)
				}
				text = about.HelpOf(command, out.Width())
			}
			out.Result(map[string]string{"help": text}, "%s", text)
			return nil
		},
	}
}
