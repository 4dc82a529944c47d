package releases

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/survey"
)

// Regions is the command regions.
func Regions() *cli.Command {
	return &cli.Command{
		Name:      "regions",
		Usage:     "show which version each region serves, and who lags behind",
		ArgsUsage: " ",
		Description: "Asks all public regions at once (the isolated partitions only when named). Exit code 3 says that at least one\n" +
			"could not be read.",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "region", Usage: "ask only `R`; may be given several times"},
			&cli.StringFlag{Name: "endpoint", Usage: "S3 address `URL` that stands in for the regions' own"},
			&cli.BoolFlag{Name: "allow-unknown-region", Usage: "accept a region name that is not in the table"},
			flags.Insecure(),
		},
		Action: showRegions,
	}
}

func showRegions(c *cli.Context) error {
	out := terminal.Of(c)
	names, endpoint := c.StringSlice("region"), c.String("endpoint")
	for _, name := range names {
		if err := flags.CheckRegion(name, endpoint, c.Bool("allow-unknown-region")); err != nil {
			return err
		}
	}
	if len(names) == 0 {
		names = regions.Public()
		if endpoint != "" {
			names = []string{regions.Local}
		}
	}
	if err := regions.CheckNew(endpoint, c.Bool("allow-insecure")); err != nil {
		return terminal.Cannot("ask", "regions", err)
	}
	a := survey.Ask(c.Context, names, endpoint, out.Count("asking regions", "regions"))
	out.Result(map[string]any{"newest": a.Newest.String(), "regions": a.Rows, "unreadable": a.Unreadable}, "%s", regionTable(a))
	if a.Unreadable > 0 {
		return terminal.Cannot("read", fmt.Sprintf("%d of %d regions", a.Unreadable, len(a.Rows)), errors.New(a.FirstFault())).
			WithKind(fault.Region).WithHint("the rest of the answer stands; see which ones above, then check network and proxy")
	}
	return nil
}

func regionTable(a survey.Answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s %-14s %-14s %s\n", "REGION", "LATEST", "STABLE", "")
	for _, r := range a.Rows {
		note := r.Lag
		if r.Error != "" {
			note = "unreadable: " + r.Error
		}
		line := fmt.Sprintf("%-18s %-14s %-14s %s", r.Region, terminal.Dash(r.Latest), terminal.Dash(r.Stable), note)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	fmt.Fprintf(&b, "newest: %s\n", terminal.Dash(a.Newest.String()))
	return b.String()
}
