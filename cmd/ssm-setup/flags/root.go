package flags

import (
	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
)

// Root is --root.
func Root() cli.Flag {
	return &cli.StringFlag{Name: "root", Usage: "installation in the folder `DIR`, which needs no privileges and no service manager; " +
		"default the system"}
}

// Layout is where the installation lies that --root names.
func Layout(c *cli.Context) (installer.Layout, error) {
	if c.IsSet("root") && c.String("root") == "" {
		return installer.Layout{}, terminal.Usage("--root is empty")
	}
	return installer.At(c.String("root")), nil
}

// Where names an installation for people.
func Where(l installer.Layout) string {
	if l.System() {
		return "this system"
	}
	return l.Root
}
