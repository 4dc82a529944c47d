package releases

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/caller"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/ground"
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
			flags.Source(),
			flags.Endpoint("the regions' S3"),
			flags.Unknown(),
			&cli.StringFlag{Name: "html", Usage: "write a page with regions, versions and who lags to `FILE`, too"},
			flags.Insecure(),
		},
		Action: showRegions,
	}
}

func showRegions(c *cli.Context) error {
	out := terminal.Of(c)
	names, err := regionsToAsk(c)
	if err != nil {
		return err
	}
	places, err := flags.PlacesIn(c, names, flags.Needs{})
	if err != nil {
		return err
	}
	names = nil
	bases := map[string]string{}
	for _, p := range places {
		names = append(names, p.Region)
		if bases[p.Region], err = p.NewBase(c.Bool("allow-insecure")); err != nil {
			return terminal.Cannot("ask", "regions", err)
		}
	}
	base := func(region string) (string, error) { return bases[region], nil }
	a := survey.Ask(c.Context, names, base, out.Count("asking regions", "regions"))
	if file := c.String("html"); file != "" {
		if err := writeMatrix(file, a); err != nil {
			return err
		}
	}
	trouble, one := a.Trouble()
	text := ""
	if !one { // else it is said once, below
		text = regionTable(a)
	}
	out.Result(map[string]any{"newest": a.Newest.String(), "regions": a.Rows, "unreadable": a.Unreadable}, "%s", text)
	if one {
		return terminal.Cannot("read", fmt.Sprintf("any of %d regions", len(a.Rows)), errors.New(trouble.What)).WithKind(fault.Region).
			WithHint(trouble.Hint)
	}
	if a.Unreadable > 0 {
		return terminal.Cannot("read", fmt.Sprintf("%d of %d regions", a.Unreadable, len(a.Rows)), errors.New(a.FirstFault())).
			WithKind(fault.Region).WithHint("the rest of the answer stands; see which ones above, then check network and proxy")
	}
	return nil
}

// writeMatrix writes the answer as a page.
func writeMatrix(file string, a survey.Answer) error {
	page, err := a.HTML(time.Now())
	if err == nil {
		err = ground.Write(file, page, 0o644, false)
	}
	if err != nil {
		return terminal.Cannot("write", file, err)
	}
	return nil
}

// regionsToAsk are those that are named; else the local one of an endpoint, those that a mirror carries, or all public ones.
func regionsToAsk(c *cli.Context) ([]string, error) {
	switch names := c.StringSlice("region"); {
	case len(names) > 0:
		return names, nil
	case c.String("endpoint") != "":
		return []string{regions.Local}, nil
	}
	source, _, err := caller.Here().Source(c.String("source"), false)
	if err != nil {
		return nil, terminal.Cannot("use", "the source of packages", err)
	}
	if err := source.CheckNew(c.Bool("allow-insecure")); err != nil {
		return nil, terminal.Cannot("ask", "regions", err)
	}
	carried, err := flags.CarriedBy(c.Context, source)
	if err == nil && len(carried.Regions) > 0 {
		return carried.Regions, nil
	}
	return regions.Public(), nil
}

func regionTable(a survey.Answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s %-14s %-14s %s\n", "REGION", "LATEST", "STABLE", "")
	for _, r := range a.Rows {
		note := r.Lag
		if r.Error != "" {
			note = "unreadable: " + cmp.Or(r.Trouble, r.Error)
		}
		line := fmt.Sprintf("%-18s %-14s %-14s %s", r.Region, terminal.Dash(r.Latest), terminal.Dash(r.Stable), note)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	fmt.Fprintf(&b, "newest: %s\n", terminal.Dash(a.Newest.String()))
	return b.String()
}
