package releases

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// Mirror is the command mirror.
func Mirror() *cli.Command {
	return &cli.Command{
		Name:  "mirror",
		Usage: "copy a region's releases into a folder that any web server or stick can serve",
		Description: "Needs no credentials. Every file is checked against the region's manifest; running it again fetches what is new, and\n" +
			"goes on with what broke off. The folder is a web server's root: its address is what install and update take as --source,\n" +
			"or the folder itself, on a stick.",
		Flags: append([]cli.Flag{
			flags.Region("region to copy"),
			flags.Source(),
			flags.Endpoint("the region's S3"),
			&cli.StringFlag{Name: "to", Usage: "`DIR` of the mirror", Required: true},
			&cli.StringSliceFlag{Name: "version", Usage: "copy this version; may be given several times. Default the latest and the stable one"},
			&cli.BoolFlag{Name: "latest", Usage: "copy the latest version only"},
			&cli.StringSliceFlag{Name: "platform",
				Usage: "copy packages for linux/amd64, windows/386, … only; may be given several times. Default all"},
			&cli.StringFlag{Name: "url", Usage: "`URL` under which the mirror will be served; it goes into the manifest, for original agents"},
			&cli.BoolFlag{Name: "dry-run", Usage: "only show what would be written"},
			flags.Unknown(),
			flags.Insecure(),
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
	out := terminal.Of(c)
	p, err := flags.PlaceOf(c, flags.Needs{})
	if err != nil {
		return err
	}
	region := p.Region
	wanted := publish.Wanted{Latest: c.Bool("latest")}
	for _, text := range c.StringSlice("version") {
		version, err := manifests.ParseVersion(text)
		if err != nil {
			return terminal.Usage("--version: %v", err)
		}
		wanted.Versions = append(wanted.Versions, version)
	}
	for _, text := range c.StringSlice("platform") {
		platform, err := pack.ParsePlatform(text)
		if err != nil {
			return terminal.Usage("--platform: %v", err)
		}
		wanted.Platforms = append(wanted.Platforms, platform)
	}
	if wanted.Latest && len(wanted.Versions) > 0 {
		return terminal.Usage("--latest and --version exclude each other")
	}
	base, err := p.NewBase(c.Bool("allow-insecure"))
	if err = errors.Join(err, regions.CheckNew(c.String("url"), c.Bool("allow-insecure"))); err != nil {
		return terminal.Cannot("mirror", "region "+region, err)
	}
	o := publish.Options{Region: region, Scratch: publish.Unfinished(c.String("to"), region), DryRun: c.Bool("dry-run"),
		Progress: out.Progress("mirroring " + region)}
	if at := strings.TrimRight(c.String("url"), "/"); at != "" {
		o.UriFormat = regions.UriFormat(regions.WithScheme(at) + "/" + regions.Bucket(region))
	}
	if err := repositoryOptions(c, &o); err != nil {
		return err
	}
	dir := publish.MirrorFolder(c.String("to"), region)
	out.Step("mirroring %s to %s", base, dir)
	if !o.DryRun {
		release, err := publish.LockMirror(c.String("to"), region)
		if err != nil {
			return terminal.Cannot("mirror", "region "+region+" to "+dir, err)
		}
		defer release()
	}
	res, err := publish.Mirror(c.Context, bucket.New(bucket.Options{Base: base, Retries: 3}), publish.Folder(dir), wanted, o)
	if err != nil {
		return terminal.Cannot("mirror", "region "+region+" to "+dir, err)
	}
	out.Result(mirrorAnswer{res, region, dir}, "%s", mirrorText(res, c.String("to"), region, o.DryRun))
	return nil
}

func mirrorText(res publish.Mirrored, dir, region string, dry bool) string {
	if dry {
		return plan(res.Steps)
	}
	written, kept := tally(res.Steps)
	var names []string
	for _, version := range res.Versions {
		names = append(names, version.String())
	}
	if full, err := filepath.Abs(dir); err == nil {
		dir = full
	}
	return fmt.Sprintf("%s holds %s of region %s: %d objects written, %d were there\n"+
		"serve it, for example with: python3 -m http.server --directory %s 8000\n"+
		"then: ssm-setup install --region %s --source https://HOST (plain http: with --allow-insecure)\n"+
		"or carry it: ssm-setup install --region %s --source FOLDER",
		dir, strings.Join(names, ", "), region, written, kept, fault.Word(dir), region, region)
}
