package playground

import (
	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local/console"
)

// Console is the command console.
func Console() *cli.Command {
	return &cli.Command{
		Name:      "console",
		Usage:     "print an address for the page of a region that runs on this machine",
		ArgsUsage: " ",
		Description: "ssm-setup local serves a page that shows hosts, commands, documents, releases and calls as they change. This prints an\n" +
			"address that opens it once, within 60 s, for the account that runs the region.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "data", Usage: "the region's state lies in `DIR` (default: as ssm-setup local has it)"},
			&cli.StringFlag{Name: "name", Usage: "the region is called `NAME`", Value: regions.Local},
		},
		Action: printConsole,
	}
}

// consoleLink is what --json says.
type consoleLink struct {
	Region string `json:"region"`
	URL    string `json:"url"` // opens once, within 60 s
}

func printConsole(c *cli.Context) error {
	name, data := c.String("name"), c.String("data")
	if err := regions.Check(name); err != nil {
		return terminal.Usage("--name: %v", err)
	}
	if data == "" {
		var err error
		if data, err = usualData(name); err != nil {
			return err
		}
	}
	link, err := console.NewLink(c.Context, data)
	if err != nil {
		return terminal.Cannot("open", "the console of region "+name, err)
	}
	terminal.Of(c).Result(consoleLink{name, link}, "%s", link)
	return nil
}
