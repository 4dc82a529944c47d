package releases

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// Mirror is the command mirror.
func Mirror() *cli.Command {
	return &cli.Command{
		Name:  "mirror",
		Usage: "copy the releases of regions into a folder for any web server or USB drive",
		Description: "Needs no credentials. Every file is checked against the region's manifest; running it again fetches what is new, and\n" +
			"continues what was interrupted. The folder is a web server's root: its address is what install and update take as --source,\n" +
			"or the folder itself, on a USB drive. It can carry several regions, and Amazon's own agent as well as ours.",
		Flags: append([]cli.Flag{
			flags.Regions("region to copy"),
			flags.Source(),
			flags.Endpoint("the region's S3"),
			&cli.StringFlag{Name: "to", Usage: "`DIR` of the mirror", Required: true},
			&cli.StringSliceFlag{Name: "version",
				Usage: "copy this version, or stable; may be given several times. Default the latest and the stable one"},
			&cli.BoolFlag{Name: "latest", Usage: "copy the latest version only"},
			&cli.StringSliceFlag{Name: "platform",
				Usage: "copy packages for linux/amd64, windows/386, … only; may be given several times. Default all"},
			&cli.StringFlag{Name: "url", Usage: "`URL` under which the mirror will be served; it goes into the manifest, for original agents"},
			&cli.BoolFlag{Name: "dry-run", Usage: "only show what would be written"},
			flags.Unknown(),
			flags.Insecure(),
			&cli.StringFlag{Name: "trust", Usage: "root of trust in `FILE`: only what is signed by it is copied, and so no indexes of apt and yum (the mirror\n" +
				"makes its own); default this machine's own root, where it has one (ssm-setup trust)"},
		}, repositoryFlags()...),
		Action: mirror,
	}
}

type mirrorAnswer struct {
	publish.Mirrored
	Region string `json:"region"`
	To     string `json:"to"`
}

func mirror(c *cli.Context) error {
	places, err := flags.PlacesOf(c, flags.Needs{})
	if err != nil {
		return err
	}
	wanted, err := wantedOfRegions(c)
	if err != nil {
		return err
	}
	if err := regions.CheckNew(c.String("url"), c.Bool("allow-insecure")); err != nil {
		return terminal.Cannot("use", "--url", err)
	}
	var o publish.Options
	if err := repositoryOptions(c, &o); err != nil {
		return err
	}
	bases := map[string]string{}
	for _, p := range places {
		if bases[p.Region], err = p.NewBase(c.Bool("allow-insecure")); err != nil {
			return terminal.Cannot("mirror", "region "+p.Region, err)
		}
	}
	var answers []mirrorAnswer
	var texts []string
	for _, p := range places {
		one, err := mirrorRegion(c, p.Region, bases[p.Region], wanted, o)
		if err != nil {
			return terminal.Cannot("mirror", "region "+p.Region+" to "+publish.MirrorFolder(c.String("to"), p.Region), err)
		}
		answers, texts = append(answers, one), append(texts, mirroredText(one, c.Bool("dry-run")))
	}
	if !c.Bool("dry-run") {
		texts = append(texts, servingText(c.String("to"), places))
	}
	var data any = map[string]any{"mirrors": answers}
	if len(answers) == 1 {
		data = answers[0]
	}
	terminal.Of(c).Result(data, "%s", strings.Join(texts, "\n"))
	return nil
}

// wantedOfRegions is what the flags say that a mirror shall hold of each region.
func wantedOfRegions(c *cli.Context) (publish.Wanted, error) {
	wanted := publish.Wanted{Latest: c.Bool("latest")}
	for _, text := range c.StringSlice("version") {
		if text == "stable" {
			wanted.Stable = true
			continue
		}
		version, err := manifests.ParseVersion(text)
		if err != nil {
			return wanted, terminal.Usage("--version: %v", err)
		}
		wanted.Versions = append(wanted.Versions, version)
	}
	for _, text := range c.StringSlice("platform") {
		platform, err := pack.ParsePlatform(text)
		if err != nil {
			return wanted, terminal.Usage("--platform: %v", err)
		}
		wanted.Platforms = append(wanted.Platforms, platform)
	}
	if wanted.Latest && len(c.StringSlice("version")) > 0 {
		return wanted, terminal.Usage("--latest and --version exclude each other")
	}
	return wanted, nil
}

// mirrorRegion copies one region, and has the mirror's root say that it is there.
func mirrorRegion(c *cli.Context, region, base string, wanted publish.Wanted, o publish.Options) (mirrorAnswer, error) {
	out, to := terminal.Of(c), c.String("to")
	o.Region, o.Scratch, o.DryRun = region, publish.Unfinished(to, region), c.Bool("dry-run")
	o.Progress = out.Progress("mirroring " + region)
	if at := strings.TrimRight(c.String("url"), "/"); at != "" {
		o.UriFormat = regions.UriFormat(regions.WithScheme(at) + "/" + regions.Bucket(region))
	}
	answer := mirrorAnswer{Region: region, To: publish.MirrorFolder(to, region)}
	out.Step("mirroring %s to %s", base, answer.To)
	if !o.DryRun {
		release, err := publish.LockMirror(to, region)
		if err != nil {
			return answer, err
		}
		defer release()
	}
	signed, err := verification(c, target.Folder(answer.To))
	if err != nil {
		return answer, err
	}
	from := bucket.New(bucket.Options{Base: base, Retries: 3, Signed: signed})
	if answer.Mirrored, err = publish.Mirror(c.Context, from, target.Folder(answer.To), wanted, o); err == nil && !o.DryRun {
		err = publish.Carry(c.Context, to)
	}
	return answer, err
}

// verification is by the root that --trust names, else by that of this machine. With --trust the mirror itself is what was seen before.
func verification(c *cli.Context, mirror target.Target) (bucket.Signed, error) {
	watch := trust.Watch{Warn: func(line string) { terminal.Of(c).Warn("%s", line) }}
	file := c.String("trust")
	if file == "" && c.Bool("dry-run") {
		return anchor.Look(installer.At(""), nil, watch), nil
	}
	if file == "" {
		return anchor.Signed(installer.At(""), watch), nil
	}
	root, err := os.ReadFile(file)
	if err == nil {
		_, err = trust.ParseRoot(root)
	}
	if err != nil {
		return nil, fmt.Errorf("--trust %s: %w", file, err)
	}
	return trust.After(root, func(ctx context.Context, key string, limit int64) ([]byte, error) {
		b, _, err := target.ReadLimited(ctx, mirror, key, limit)
		if target.IsAbsent(err) {
			err = bucket.ErrMissing
		}
		return b, err
	}, watch), nil
}

func mirroredText(a mirrorAnswer, dry bool) string {
	if dry {
		return plan(a.Steps)
	}
	written, kept := tally(a.Steps)
	var names []string
	for _, version := range a.Versions {
		names = append(names, version.String())
	}
	dir := filepath.Dir(a.To)
	if full, err := filepath.Abs(dir); err == nil {
		dir = full
	}
	text := fmt.Sprintf("%s holds %s of region %s: %d objects written, %d were there", dir, strings.Join(names, ", "), a.Region, written, kept)
	if a.LeftOut != "" {
		text += "\nleft out: " + a.LeftOut
	}
	return text
}

// servingText says what to do with a mirror. One that carries a single region needs no --region.
func servingText(dir string, places []flags.Place) string {
	if full, err := filepath.Abs(dir); err == nil {
		dir = full
	}
	region := places[0].Region
	return fmt.Sprintf("serve it, for example with: python3 -m http.server --directory %s 8000\n"+
		"then: ssm-setup install --region %s --source https://HOST (plain http: with --allow-insecure)\n"+
		"or carry it: ssm-setup install --region %s --source FOLDER", fault.Word(dir), region, region)
}
