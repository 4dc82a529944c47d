package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/installer/describe"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/manifests"
)

func buildVerb() *cli.Command {
	return &cli.Command{
		Name:  "build",
		Usage: "make the packages of a release from source, or from binaries",
		Description: "Compiles from the source tree it stands in and writes OUT/<version>/ with every package, archive and\n" +
			"ssm-setup itself for each platform, SHA256SUMS and manifest.json. Same source and SOURCE_DATE_EPOCH give the same bytes.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "version", Usage: "four-part version of the release, 9.0.0.0 or higher; with --bin the binaries' own"},
			&cli.StringFlag{Name: "out", Value: "dist", Usage: "folder for the result"},
			&cli.StringSliceFlag{Name: "platform", Usage: "linux/amd64, windows/386, darwin/universal, …; default all, with --bin those that are there"},
			&cli.StringSliceFlag{Name: "only", Usage: "some formats: deb, rpm, msi, pkg, tar, setup, update, updater and their kin; default all"},
			&cli.StringFlag{Name: "bin", Usage: "pack the binaries of this folder (or of linux_amd64 … in it) instead of compiling"},
			&cli.StringFlag{Name: "source", Value: ".", Usage: "folder in the source tree"},
			&cli.StringSliceFlag{Name: "trust", Usage: "root of trust (root.json) to bake into the packages, and the OpenPGP public key that ssm-setup-cli\n" +
				"checks packages with; the latter goes into a compiled ssm-setup, too"},
			&cli.BoolFlag{Name: "verbose", Usage: "show what go says"},
		}, keyFlags()...),
		Action: build,
	}
}

type buildResult struct {
	Version   manifests.Version  `json:"version"`
	Out       string             `json:"out"` // the version's folder
	Artifacts []pack.Artifact    `json:"artifacts"`
	Documents []describe.File    `json:"documents"`       // bills of materials, provenance, notes
	Compile   map[string]float64 `json:"compile_seconds"` // platform → seconds
	Seconds   float64            `json:"seconds"`
}

func build(c *cli.Context) error {
	v := speak(c)
	began := time.Now()
	plan, err := buildPlan(c)
	if err != nil {
		return err
	}
	res := buildResult{Version: plan.Version, Out: plan.Dir(), Compile: map[string]float64{}}
	if c.Bool("verbose") {
		plan.Log = v.err
	}
	plan.Compiled = func(p pack.Platform, took time.Duration) {
		res.Compile[p.String()] = took.Seconds()
		v.step("compiled %s in %.1f s", p, took.Seconds())
	}
	plan.Made = func(a pack.Artifact) { v.step("made %s, %s in %.1f s", a.File, size(a.Size), a.Seconds) }
	if plan.Source != "" {
		v.step("building %s from %s", plan.Version, plan.Source)
	}
	describe := describing(&plan)
	if res.Artifacts, err = pack.Build(c.Context, plan); err != nil {
		return cannot("build", "version "+plan.Version.String(), err)
	}
	if res.Documents, err = describe(); err != nil {
		return cannot("describe", "version "+plan.Version.String(), err)
	}
	if err := plan.Signing.Seal(plan.Dir()); err != nil { // last: it covers what the folder's list names
		return cannot("sign", pack.SumsFile, err)
	}
	res.Seconds = time.Since(began).Seconds()
	v.result(res, "%s", buildTable(res))
	return nil
}

// buildPlan turns flags into a plan.
func buildPlan(c *cli.Context) (plan pack.Plan, err error) {
	plan.Out = c.String("out")
	if plan.Formats, err = pack.ParseFormats(c.StringSlice("only")); err != nil {
		return plan, usage("--only: %v", err)
	}
	for _, text := range c.StringSlice("platform") {
		p, err := pack.ParsePlatform(text)
		if err != nil {
			return plan, usage("--platform: %v", err)
		}
		plan.Platforms = append(plan.Platforms, p)
	}
	if text := c.String("version"); text != "" {
		if plan.Version, err = releaseVersion(text); err != nil {
			return plan, usage("--version: %v", err)
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
	if plan.Time, err = pack.Epoch(os.Getenv("SOURCE_DATE_EPOCH"), plan.Source); err != nil {
		return plan, usage("%v", err)
	}
	if plan.Trust, plan.Key, err = trusts(c.StringSlice("trust")); err != nil {
		return plan, err
	}
	keys, err := openKeys(c, plan.Time)
	plan.Signing = signingOf(c.Context, keys)
	return plan, err
}

// trusts reads what packages are to trust: a root, which is JSON, and an OpenPGP public key; one of each at most.
func trusts(paths []string) (root, key []byte, err error) {
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, cannot("read", "--trust", err)
		}
		into := &root
		if !json.Valid(b) {
			into = &key
			var ring sign.Trusted
			if err := ring.ReadKeys(b); err != nil {
				return nil, nil, usage("--trust: %s is no JSON, and no OpenPGP public key either: %v", path, err)
			}
			if ring.Keys[0].PrivateKey != nil {
				return nil, nil, usage("--trust: %s holds a private key", path)
			}
		}
		if *into != nil {
			return nil, nil, usage("--trust: %s is the second of its kind", path)
		}
		*into = b
	}
	return root, key, nil
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
	if v.Less(pack.First) {
		return v, fmt.Errorf("%w: %s", pack.ErrTooLow, v)
	}
	return v, nil
}

func planFromSource(c *cli.Context, plan *pack.Plan) (err error) {
	if plan.Version.IsZero() {
		return usage("--version is missing, for example --version 9.1.0.0")
	}
	if plan.Source, err = pack.Source(c.String("source")); err != nil {
		return cannot("build", "version "+plan.Version.String(), err)
	}
	if len(plan.Platforms) == 0 {
		plan.Platforms = pack.Platforms()
	}
	return nil
}

// planFromBinaries takes platforms and version from the binaries where the flags do not name them. ssm-setup may be missing
// in such a folder, and so may the carrier of AmazonSSMAgentSetup.exe.
func planFromBinaries(c *cli.Context, plan *pack.Plan) error {
	plan.Bin = c.String("bin")
	platforms, version, err := pack.Found(plan.Bin)
	if err != nil && (len(plan.Platforms) == 0 || plan.Version.IsZero()) {
		return cannot("pack", plan.Bin, err)
	}
	if len(plan.Platforms) == 0 {
		plan.Platforms = platforms
	}
	if plan.Version.IsZero() {
		if plan.Version, err = releaseVersion(version.String()); err != nil {
			return cannot("pack", plan.Bin, err)
		}
	}
	if !c.IsSet("only") && !hasProgram(plan.Bin, pack.Setup) {
		plan.Formats = slices.DeleteFunc(plan.Formats, func(f pack.Format) bool { return slices.Contains(f.Programs, pack.Setup) })
	}
	if !c.IsSet("only") && !hasProgram(plan.Bin, pack.Carrier+".exe") {
		plan.Formats = slices.DeleteFunc(plan.Formats, func(f pack.Format) bool { return slices.Contains(f.Programs, pack.Carrier) })
	}
	return nil
}

func hasProgram(dir, name string) bool {
	found, _ := filepath.Glob(filepath.Join(dir, "*_*", name))
	if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
		return true
	}
	return len(found) > 0
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
	fmt.Fprintf(&b, "%d artifacts of %s in %s, %.1f s", len(res.Artifacts), res.Version, res.Out, res.Seconds)
	return b.String()
}
