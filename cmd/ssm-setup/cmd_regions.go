package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/survey"
)

func regionsCommand() *cli.Command {
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
			insecureFlag(),
		},
		Action: showRegions,
	}
}

func showRegions(c *cli.Context) error {
	out := printerOf(c)
	names, endpoint := c.StringSlice("region"), c.String("endpoint")
	for _, name := range names {
		if err := checkRegion(name, endpoint, c.Bool("allow-unknown-region")); err != nil {
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
		return cannot("ask", "regions", err)
	}
	a := survey.Ask(c.Context, names, endpoint, out.progress("asking regions"))
	out.result(map[string]any{"newest": a.Newest.String(), "regions": a.Rows, "unreadable": a.Unreadable}, "%s", regionTable(a))
	if a.Unreadable > 0 {
		return cannot("read", fmt.Sprintf("%d of %d regions", a.Unreadable, len(a.Rows)), errors.New(a.FirstFault())).withKind(fault.Region).
			withHint("the rest of the answer stands; see which ones above, then check network and proxy")
	}
	return nil
}

// checkRegion refuses malformed names always, unknown ones unless an endpoint or the flag vouches for them.
func checkRegion(name, endpoint string, allowUnknown bool) error {
	err := regions.Resolve(name)
	var unknown *regions.UnknownError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unknown) && (endpoint != "" || allowUnknown):
		return nil
	case errors.As(err, &unknown):
		return cannot("use", "region "+name, fmt.Errorf("it is not in the table; nearest: %s", strings.Join(unknown.Nearest, ", "))).
			withKind(fault.Usage).withHint("if the region is new, add --allow-unknown-region; for a mirror or a local region add --endpoint")
	}
	return cannot("use", "that region", err).withKind(fault.Usage).withHint("a region is named like eu-west-1")
}

func regionTable(a survey.Answer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s %-14s %-14s %s\n", "REGION", "LATEST", "STABLE", "")
	for _, r := range a.Rows {
		note := r.Lag
		if r.Error != "" {
			note = "unreadable: " + r.Error
		}
		line := fmt.Sprintf("%-18s %-14s %-14s %s", r.Region, dash(r.Latest), dash(r.Stable), note)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	fmt.Fprintf(&b, "newest: %s\n", dash(a.Newest.String()))
	return b.String()
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
