package machine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// Versions is the command versions.
func Versions() *cli.Command {
	return &cli.Command{
		Name:  "versions",
		Usage: "show the versions that this machine keeps, or those that a source has",
		Description: "Without a flag: the package version, the versions that updates added, which one runs and which are blocked. With --region, " +
			"--source or --endpoint: every version there, which of them are latest and stable, and which have no package for this system.",
		Flags: []cli.Flag{rootFlag(),
			flags.Region("ask this region"), flags.Source(), flags.Endpoint("the region's S3"), flags.Unknown(),
			flags.Insecure(),
		},
		Action: versions,
	}
}

// versionRow is one version.
type versionRow struct {
	Version string   `json:"version"`
	Status  string   `json:"status,omitempty"` // of a region: Active, Deprecated, Inactive
	Notes   []string `json:"notes,omitempty"`  // such as running, fallback, package, on trial, blocked; of a region: latest, stable, [notHere]
	Bytes   int64    `json:"bytes,omitempty"`
	Until   string   `json:"blocked_until,omitempty"` // RFC 3339
}

func versions(c *cli.Context) error {
	out := terminal.Of(c)
	l, err := layoutOf(c)
	if err != nil {
		return err
	}
	if c.IsSet("region") || c.IsSet("source") || c.IsSet("endpoint") {
		return versionsOfRegion(c, l)
	}
	r, err := readStatus(c.Context, l)
	if err != nil {
		return terminal.Cannot("read the state of", "the agent on "+where(l), err)
	}
	rows := keptVersions(l, r)
	if len(rows) == 0 {
		out.Result(map[string]any{"versions": []versionRow{}}, "there is no agent on %s", where(l))
		return nil
	}
	out.Result(map[string]any{"versions": rows}, "%s", versionTable(rows))
	return nil
}

// keptVersions are the versions that a machine keeps, and those that are blocked on it, newest first.
func keptVersions(l installer.Layout, r statusResult) []versionRow {
	rows := map[string]*versionRow{}
	row := func(version string) *versionRow {
		if rows[version] == nil {
			rows[version] = &versionRow{Version: version}
		}
		return rows[version]
	}
	note := func(version, text string, holds bool) {
		if version != "" && holds {
			row(version).Notes = append(row(version).Notes, text)
		}
	}
	note(r.Running, "running", true)
	note(r.Active, "active", r.Active != r.Running)
	note(r.Active, "on trial", r.OnTrial)
	note(r.Previous, "fallback", true)
	note(r.PackageVersion, "package", r.Installed)
	note(r.SetAside, "replaced by a newer package", true)
	entries, _ := os.ReadDir(l.Pointer().StoreDir())
	for _, e := range entries {
		if _, err := manifests.ParseVersion(e.Name()); err == nil && e.IsDir() {
			one := row(e.Name())
			if info, err := os.Stat(filepath.Join(l.Pointer().StoreDir(), e.Name(), filepath.Base(l.Worker()))); err == nil {
				one.Bytes = info.Size()
			}
		}
	}
	for _, s := range r.Skip {
		if time.Now().Before(s.Until) {
			note(s.Version.String(), map[bool]string{true: "left out by scheduled updates", false: "blocked"}[s.Scheduled], true)
			row(s.Version.String()).Until = s.Until.UTC().Format(time.RFC3339)
		}
	}
	return newestFirst(rows)
}

func newestFirst(rows map[string]*versionRow) []versionRow {
	var list []versionRow
	for _, r := range rows {
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b versionRow) int {
		va, _ := manifests.ParseVersion(a.Version)
		vb, _ := manifests.ParseVersion(b.Version)
		switch {
		case va.Less(vb):
			return 1
		case vb.Less(va):
			return -1
		}
		return 0
	})
	return list
}

func versionsOfRegion(c *cli.Context, l installer.Layout) error {
	p, err := flags.PlaceOf(c, flags.Needs{})
	if err != nil {
		return err
	}
	region := p.Region
	base, err := p.NewBase(c.Bool("allow-insecure"))
	if err != nil {
		return terminal.Cannot("ask", "region "+region, err)
	}
	rows, file, err := offered(c.Context, bucket.New(bucket.Options{Base: base, Retries: 2,
		Signed: anchor.Look(l, nil, watchTrust(c))}), l)
	if err != nil {
		return terminal.Cannot("ask", "region "+region, err)
	}
	terminal.Of(c).Result(map[string]any{"region": region, "file": file, "versions": rows}, "%s", versionTable(rows))
	return nil
}

// notHere is the note of a version that a source has, and not as a package for this system.
const notHere = "not for this system"

// offered are the versions that a source has. file is the package of this system, whose size is told; empty where packages are installed by
// the system's own installer.
func offered(ctx context.Context, client *bucket.Client, l installer.Layout) (list []versionRow, file string, err error) {
	if way, err := setup.PackagingOf(l); err == nil {
		file = way.File(runtime.GOARCH)
	}
	m, err := client.Manifest(ctx)
	if err != nil {
		return nil, file, err
	}
	statuses, err := m.Statuses(manifests.AgentPackage)
	if err != nil {
		return nil, file, err
	}
	listing, _ := m.Listing(manifests.AgentPackage, file) // none has an entry where there is no such package
	latest, _ := client.Latest(ctx)
	stable, _ := client.Stable(ctx) // there may be none
	rows := map[string]*versionRow{}
	for v, status := range statuses {
		row := &versionRow{Version: v.String(), Status: status}
		if v == latest {
			row.Notes = append(row.Notes, "latest")
		}
		if v == stable {
			row.Notes = append(row.Notes, "stable")
		}
		if entry, ok := listing.Find(v); ok {
			row.Status, row.Bytes = manifests.StatusOf(entry), entry.Size
		} else if file != "" {
			row.Notes = append(row.Notes, notHere)
		}
		rows[row.Version] = row
	}
	return newestFirst(rows), file, nil
}

func versionTable(rows []versionRow) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		text := strings.Join(r.Notes, ", ")
		if r.Until != "" {
			text += " until " + r.Until
		}
		if r.Status != "" {
			text = strings.TrimSuffix(r.Status+", "+text, ", ")
		}
		size := "-"
		if r.Bytes > 0 {
			size = terminal.Size(r.Bytes)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Version, size, text)
	}
	w.Flush()
	return b.String()
}
