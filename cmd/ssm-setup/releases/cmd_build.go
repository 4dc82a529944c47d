package releases

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/keyring"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/describe"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// Build is the command build.
func Build() *cli.Command {
	return &cli.Command{
		Name:  "build",
		Usage: "make the packages of a release from source, or from binaries",
		Description: "Compiles from the source tree it stands in and writes OUT/<version>/ with every package, archive and\n" +
			"ssm-setup itself for each platform, SHA256SUMS and manifest.json. Same source and SOURCE_DATE_EPOCH give the same bytes.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "version", Usage: "four-part version of the release, 9.0.0.0 or higher; with --bin the binaries' own"},
			&cli.StringFlag{Name: "out", Value: "dist", Usage: "folder for the result"},
			&cli.StringSliceFlag{Name: "platform", Usage: "linux/amd64, windows/386, darwin/universal, …; default all, with --bin those that are there"},
			&cli.StringSliceFlag{Name: "only", Usage: "some formats: " + pack.Names() + "; default all"},
			&cli.StringFlag{Name: "bin", Usage: "pack the binaries of this folder (or of linux_amd64 … in it) instead of compiling"},
			&cli.StringFlag{Name: "source", Value: ".", Usage: "folder in the source tree"},
			&cli.StringFlag{Name: "toolchain", Value: build.Toolchain, Usage: "release of Go to compile with; " + build.LocalToolchain +
				" takes the one that is installed,\n" +
				"which may give other bytes"},
			&cli.StringSliceFlag{Name: "trust", Usage: "root of trust (root.json) to bake into the packages, and the OpenPGP public key that ssm-setup-cli\n" +
				"checks packages with; the latter goes into a compiled ssm-setup, too"},
			&cli.StringFlag{Name: "notes", Usage: "`FILE` with this version's release notes, or with sections of several versions; default RELEASENOTES.md\n" +
				"of the source tree, else the commits since the last version tag"},
			&cli.BoolFlag{Name: "dry-run", Usage: "only show what would be made"},
		}, keyFlags()...),
		Action: buildRelease,
	}
}

type buildResult struct {
	Version   manifests.Version  `json:"version"`
	Out       string             `json:"out"` // the version's folder
	Artifacts []pack.Artifact    `json:"artifacts"`
	Documents []describe.File    `json:"documents"`       // bills of materials, provenance, notes
	Compile   map[string]float64 `json:"compile_seconds"` // platform → seconds
	Link      map[string]float64 `json:"link_seconds"`
	Totals    buildTotals        `json:"totals"`
}

type buildTotals struct {
	Artifacts int     `json:"artifacts"`
	Documents int     `json:"documents"`
	Bytes     int64   `json:"bytes"` // of both
	Seconds   float64 `json:"seconds"`
}

func buildRelease(c *cli.Context) error {
	out := terminal.Of(c)
	began := time.Now()
	plan, err := buildPlan(c)
	if err != nil {
		return err
	}
	res := buildResult{Version: plan.Version, Out: plan.Dir(), Compile: map[string]float64{}, Link: map[string]float64{}}
	if c.Bool("verbose") {
		plan.Log = out.Log()
	}
	if c.Bool("dry-run") {
		return showPlan(out, plan)
	}
	plan.Observer = tellBuild(out, &res)
	if plan.Source != "" {
		out.Step("building %s from %s", plan.Version, plan.Source)
	}
	describe, err := describing(&plan, c.String("notes"), out)
	if err != nil {
		return err
	}
	stop := out.Animate()
	res.Artifacts, err = build.Build(c.Context, plan)
	stop()
	if err != nil {
		return terminal.Cannot("build", "version "+plan.Version.String(), err)
	}
	if res.Documents, err = describe(); err != nil {
		return terminal.Cannot("describe", "version "+plan.Version.String(), err)
	}
	if err := build.Seal(plan.Signing, plan.Dir()); err != nil { // last: it covers what the folder's list names
		return terminal.Cannot("sign", build.SumsFile, err)
	}
	res.Totals = totalsOf(res, time.Since(began))
	out.Result(res, "%s", buildTable(res))
	return nil
}

// tellBuild shows a build under way: a bar per artifact while it is made, then a line.
func tellBuild(out *terminal.Printer, res *buildResult) build.Observer {
	var mu sync.Mutex
	under := map[string]*terminal.Bar{}
	platform := func(word string, seconds map[string]float64) func(pack.Platform, time.Duration) {
		return func(p pack.Platform, took time.Duration) {
			mu.Lock()
			seconds[p.String()] = took.Seconds()
			mu.Unlock()
			out.Step("%s %s in %.1f s", word, p, took.Seconds())
		}
	}
	return build.Observer{
		Compiled: platform("compiled", res.Compile),
		Linked:   platform("linked", res.Link),
		Making: func(file string) func(done, total int64) {
			g := out.Follow(file)
			mu.Lock()
			defer mu.Unlock()
			under[file] = g
			return g.Tell
		},
		Made: func(a pack.Artifact) {
			mu.Lock()
			g := under[a.File]
			mu.Unlock()
			if g != nil {
				g.End()
			}
			out.StepWith("artifact", a, "made %s, %s in %.1f s", a.File, terminal.Size(a.Size), a.Seconds)
		},
	}
}

// showPlan says what a build would make.
func showPlan(out *terminal.Printer, plan build.Plan) error {
	var files []string
	for _, platform := range plan.Platforms {
		for _, f := range plan.Formats {
			if name := f.File(platform); name != "" {
				files = append(files, name)
			}
		}
	}
	if len(files) == 0 {
		return terminal.Cannot("build", "version "+plan.Version.String(), build.ErrNothing)
	}
	out.Result(map[string]any{"dry_run": true, "version": plan.Version, "out": plan.Dir(), "files": files},
		"would make in %s:\n  %s\nnothing was made (--dry-run)", plan.Dir(), strings.Join(files, "\n  "))
	return nil
}

func totalsOf(res buildResult, took time.Duration) buildTotals {
	t := buildTotals{Artifacts: len(res.Artifacts), Documents: len(res.Documents), Seconds: took.Seconds()}
	for _, a := range res.Artifacts {
		t.Bytes += a.Size
	}
	for _, d := range res.Documents {
		t.Bytes += d.Size
	}
	return t
}

// ManualKey is where the app keeps what writes the manual of a release: func(version string, at time.Time) pack.Manual.
const ManualKey = "manual"

// buildPlan turns flags into a plan.
func buildPlan(c *cli.Context) (plan build.Plan, err error) {
	plan.Out = c.String("out")
	if plan.Formats, err = pack.ParseFormats(c.StringSlice("only")); err != nil {
		return plan, terminal.Usage("--only: %v", err)
	}
	for _, text := range c.StringSlice("platform") {
		p, err := pack.ParsePlatform(text)
		if err != nil {
			return plan, terminal.Usage("--platform: %v", err)
		}
		if !slices.Contains(plan.Platforms, p) {
			plan.Platforms = append(plan.Platforms, p)
		}
	}
	if text := c.String("version"); text != "" {
		if plan.Version, err = releaseVersion(text); err != nil {
			return plan, terminal.Usage("--version: %v", err)
		}
	}
	if c.IsSet("bin") {
		err = planFromBinaries(c, &plan)
	} else {
		err = planFromSource(c, &plan)
	}
	if err != nil {
		return plan, err
	}
	if plan.Time, err = build.Epoch(os.Getenv("SOURCE_DATE_EPOCH"), plan.Source); err != nil {
		return plan, terminal.Usage("%v", err)
	}
	if plan.Trust, plan.Key, err = keyring.Trusts(c.StringSlice("trust")); err != nil {
		return plan, unfitKeys(err)
	}
	if plan.Trust != nil {
		if _, err := trust.ParseRoot(plan.Trust); err != nil { // hosts that got it would refuse every update
			return plan, terminal.Usage("--trust: %v", err)
		}
	}
	if manual, ok := c.App.Metadata[ManualKey].(func(version string, at time.Time) pack.Manual); ok {
		plan.Manual = manual(plan.Version.String(), plan.Time)
	}
	signer, err := openKeys(c, plan.Time)
	plan.Signing = keyring.Signing(c.Context, signer)
	return plan, err
}

// releaseVersion reads the version of a release: four parts, not below the first of ours.
func releaseVersion(text string) (manifests.Version, error) {
	v, err := manifests.ParseVersion(text)
	if err != nil {
		return v, err
	}
	if strings.Count(text, ".") != 3 {
		return v, fmt.Errorf("%s does not have four parts, such as 9.1.0.0", text)
	}
	if v.Less(build.First) {
		return v, fmt.Errorf("%w: %s", build.ErrTooLow, v)
	}
	return v, nil
}

func planFromSource(c *cli.Context, plan *build.Plan) (err error) {
	if plan.Version.IsZero() {
		return terminal.Usage("--version is missing, for example --version 9.1.0.0")
	}
	plan.Toolchain = c.String("toolchain")
	if plan.Source, err = build.Source(c.String("source")); err != nil {
		return terminal.Cannot("build", "version "+plan.Version.String(), err)
	}
	if len(plan.Platforms) == 0 {
		plan.Platforms = pack.Platforms()
	}
	return nil
}

// planFromBinaries takes platforms and version from the binaries where the flags do not name them. ssm-setup may be missing
// in such a folder, and so may the carrier of AmazonSSMAgentSetup.exe, where what is made of them is not asked for.
func planFromBinaries(c *cli.Context, plan *build.Plan) error {
	plan.Bin = c.String("bin")
	if c.IsSet("source") {
		return terminal.Usage("--bin packs binaries as they are, --source compiles: give one of them")
	}
	platforms, version, err := build.Found(plan.Bin)
	if err != nil && (len(plan.Platforms) == 0 || plan.Version.IsZero()) {
		return terminal.Cannot("pack", plan.Bin, err)
	}
	if len(plan.Platforms) == 0 {
		plan.Platforms = platforms
	}
	if plan.Version.IsZero() {
		if plan.Version, err = releaseVersion(version.String()); err != nil {
			return terminal.Cannot("pack", plan.Bin, err)
		}
	}
	if !c.IsSet("only") {
		plan.Optional = []string{pack.Setup, pack.Carrier}
	}
	return nil
}

// buildTable is the summary for people.
func buildTable(res buildResult) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	io.WriteString(w, "artifact\tbytes\tseconds\tsha256\n")
	for _, a := range res.Artifacts {
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%s\n", a.File, a.Size, a.Seconds, a.SHA256)
	}
	for _, d := range res.Documents {
		fmt.Fprintf(w, "%s\t%d\t\t%s\n", d.Name, d.Size, d.SHA256)
	}
	w.Flush()
	fmt.Fprintf(&b, "%d artifacts and %d documents of %s in %s: %d bytes (%s) in %.1f s", res.Totals.Artifacts, res.Totals.Documents,
		res.Version, res.Out, res.Totals.Bytes, terminal.Size(res.Totals.Bytes), res.Totals.Seconds)
	return b.String()
}
