package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// asked at once; a region that does not answer in time is unreadable.
const (
	regionsAtOnce  = 16
	regionPatience = 20 * time.Second
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
		},
		Action: showRegions,
	}
}

// regionRow is one line of the answer.
type regionRow struct {
	Region    string `json:"region"`
	Partition string `json:"partition"`
	Latest    string `json:"latest,omitempty"`
	Stable    string `json:"stable,omitempty"`
	Behind    string `json:"behind,omitempty"` // the newest version anywhere, where this region has an older one
	Lag       string `json:"lag,omitempty"`    // how much, for people
	Error     string `json:"error,omitempty"`

	latest manifests.Version
}

func showRegions(c *cli.Context) error {
	out := printerOf(c)
	names := c.StringSlice("region")
	for _, name := range names {
		if err := checkRegion(name, c.String("endpoint"), c.Bool("allow-unknown-region")); err != nil {
			return err
		}
	}
	if len(names) == 0 {
		names = regions.Public()
		if c.String("endpoint") != "" {
			names = []string{regions.Local}
		}
	}
	rows := askRegions(c.Context, names, c.String("endpoint"), out.progress("asking regions"))
	newest, unread := compareRegions(rows)
	out.result(map[string]any{"newest": newest.String(), "regions": rows, "unreadable": unread}, "%s", regionTable(rows, newest))
	if unread > 0 {
		return cannot("read", fmt.Sprintf("%d of %d regions", unread, len(rows)), errors.New(firstFault(rows))).withKind(fault.Region).
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

// askRegions reads the VERSION files of all regions, a bounded number at once. Rows keep the order of names.
func askRegions(ctx context.Context, names []string, endpoint string, tell func(done, total int64)) []regionRow {
	rows := make([]regionRow, len(names))
	client := bucket.DefaultHTTP()
	var wait sync.WaitGroup
	var mu sync.Mutex
	slots, done := make(chan struct{}, regionsAtOnce), int64(0)
	for i, name := range names {
		wait.Add(1)
		go func() {
			defer wait.Done()
			slots <- struct{}{}
			rows[i] = askRegion(ctx, client, name, endpoint)
			<-slots
			mu.Lock()
			defer mu.Unlock()
			done++
			tell(done, int64(len(names)))
		}()
	}
	wait.Wait()
	return rows
}

func askRegion(ctx context.Context, client *http.Client, name, endpoint string) regionRow {
	row := regionRow{Region: name, Partition: regions.Partition(name)}
	ctx, cancel := context.WithTimeout(ctx, regionPatience)
	defer cancel()
	base, err := regions.BucketURL(name, endpoint, "")
	if err != nil {
		row.Error = err.Error()
		return row
	}
	b := bucket.New(bucket.Options{Base: base, HTTP: client, Retries: 2})
	latest, err := b.Latest(ctx)
	if err != nil {
		row.Error = err.Error()
		return row
	}
	row.latest, row.Latest = latest, latest.String()
	stable, err := b.Stable(ctx)
	if err != nil && !errors.Is(err, bucket.ErrMissing) &&
		!errors.Is(err, bucket.ErrDenied) { // denied: not there, in a bucket that is not listed
		row.Error = err.Error() // latest is known all the same
	}
	row.Stable = stable.String()
	return row
}

// compareRegions fills in who lags behind and counts the unreadable.
func compareRegions(rows []regionRow) (newest manifests.Version, unread int) {
	for _, r := range rows {
		if newest.Less(r.latest) {
			newest = r.latest
		}
		if r.Error != "" {
			unread++
		}
	}
	for i := range rows {
		if r := &rows[i]; !r.latest.IsZero() && r.latest.Less(newest) {
			r.Behind, r.Lag = newest.String(), lag(r.latest, newest, rows)
		}
	}
	return newest, unread
}

// lag counts the versions other regions serve that are newer than v.
func lag(v, newest manifests.Version, rows []regionRow) string {
	var newer []manifests.Version
	for _, r := range rows {
		if v.Less(r.latest) && !slices.Contains(newer, r.latest) {
			newer = append(newer, r.latest)
		}
	}
	if len(newer) == 1 {
		return "1 release behind " + newest.String()
	}
	return fmt.Sprintf("%d releases behind %s", len(newer), newest)
}

func regionTable(rows []regionRow, newest manifests.Version) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s %-14s %-14s %s\n", "REGION", "LATEST", "STABLE", "")
	for _, r := range rows {
		note := r.Lag
		if r.Error != "" {
			note = "unreadable: " + r.Error
		}
		line := fmt.Sprintf("%-18s %-14s %-14s %s", r.Region, dash(r.Latest), dash(r.Stable), note)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	fmt.Fprintf(&b, "newest: %s\n", dash(newest.String()))
	return b.String()
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func firstFault(rows []regionRow) string {
	for _, r := range rows {
		if r.Error != "" {
			return r.Region + ": " + r.Error
		}
	}
	return ""
}
