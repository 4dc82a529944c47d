package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

func publishVerb() *cli.Command {
	return &cli.Command{
		Name:  "publish",
		Usage: "put a release into a region: packages first, manifest next, VERSION last",
		Description: "Takes what build wrote and merges it into the region's bucket; versions that are there stay. Running it again\n" +
			"finishes what was interrupted. Credentials come from the usual AWS chain (AWS_ACCESS_KEY_ID …, AWS_SHARED_CREDENTIALS_FILE,\n" +
			"AWS_PROFILE, roles).",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "from", Value: "dist", Usage: "folder that build wrote (or one version's folder in it)"},
			&cli.StringFlag{Name: "version", Usage: "which version in that folder; default the newest"},
			&cli.StringFlag{Name: "region", Usage: "region to publish to", Required: true},
			&cli.StringFlag{Name: "endpoint", Usage: "S3 address `URL` that stands in for AWS's, for a local region"},
			&cli.StringFlag{Name: "to", Usage: "other `PLACE`: a folder, or s3://bucket/prefix; default the region's own bucket"},
			&cli.StringFlag{Name: "global", Usage: "also copy latest/ to `PLACE`, for example s3://ec2-downloads-windows/SSMAgent"},
			&cli.StringFlag{Name: "profile", Usage: "profile of the shared AWS files"},
			&cli.BoolFlag{Name: "dry-run", Usage: "only show what would be written"},
			&cli.BoolFlag{Name: "replace", Usage: "publish other content under a version that is already there"},
			&cli.BoolFlag{Name: "allow-unknown-region", Usage: "accept a region name that is not in the table"},
		},
		Action: publishRelease,
	}
}

func publishRelease(c *cli.Context) error {
	v := speak(c)
	region, endpoint := c.String("region"), c.String("endpoint")
	if err := checkRegion(region, endpoint, c.Bool("allow-unknown-region") || c.String("to") != ""); err != nil {
		return err
	}
	var want manifests.Version
	if text := c.String("version"); text != "" {
		var err error
		if want, err = manifests.ParseVersion(text); err != nil {
			return usage("--version: %v", err)
		}
	}
	release, err := publish.Open(c.String("from"), want)
	if err != nil {
		return cannot("read", "the release in "+c.String("from"), err)
	}
	to, format, err := publishTarget(c, c.String("to"))
	if err != nil {
		return err
	}
	o := publish.Options{UriFormat: format, DryRun: c.Bool("dry-run"), Replace: c.Bool("replace"),
		Progress: v.progress("publishing " + release.Version.String())}
	if place := c.String("global"); place != "" {
		if o.Global, _, err = publishTarget(c, place); err != nil {
			return err
		}
	}
	v.step("publishing %s to %s", release.Version, to)
	res, err := publish.Publish(c.Context, to, release, o)
	if err != nil {
		return cannot("publish", fmt.Sprintf("%s to %s", release.Version, to), err)
	}
	v.result(publishAnswer{res, region, to.String()}, "%s", publishText(res, region, to.String()))
	return nil
}

type publishAnswer struct {
	publish.Result
	Region string `json:"region"`
	To     string `json:"to"`
}

// publishTarget understands --to: nothing (the region's bucket), s3://bucket/prefix, or a folder. The second result is the
// template a new manifest there carries.
func publishTarget(c *cli.Context, place string) (publish.Target, string, error) {
	region, endpoint := c.String("region"), regions.WithScheme(c.String("endpoint"))
	base, err := regions.BucketURL(region, endpoint, "")
	if err != nil {
		return nil, "", err
	}
	at := publish.Place{Region: region, Endpoint: endpoint, Profile: c.String("profile"), Bucket: regions.Bucket(region)}
	rest, isBucket := strings.CutPrefix(place, "s3://")
	switch {
	case place == "":
	case isBucket:
		at.Bucket, at.Prefix, _ = strings.Cut(strings.Trim(rest, "/"), "/")
		if at.Bucket == "" {
			return nil, "", usage("%s names no bucket", place)
		}
		base = strings.TrimSuffix(base, regions.Bucket(region)) + strings.Trim(rest, "/")
	default:
		return publish.Folder(place), templateOf(base, region, endpoint), nil
	}
	to, err := bucketTarget(c.Context, at)
	return to, templateOf(base, region, endpoint), err
}

func bucketTarget(ctx context.Context, at publish.Place) (publish.Target, error) {
	to, err := publish.Bucket(ctx, at)
	if err != nil {
		return nil, cannot("open", "bucket "+at.Bucket, err).withHint("check AWS_PROFILE, --profile and the shared AWS files")
	}
	return to, nil
}

// templateOf is a manifest's template: with {Region} for AWS's own addresses, as the original has it.
func templateOf(base, region, endpoint string) string {
	if endpoint == "" {
		base = strings.ReplaceAll(base, region, "{Region}")
	}
	return regions.UriFormat(base)
}

func publishText(res publish.Result, region, to string) string {
	var b strings.Builder
	if res.DryRun {
		for _, s := range res.Steps {
			fmt.Fprintf(&b, "would be %s: %s (%s)\n", s.Action, s.Key, size(s.Size))
		}
		return b.String() + "nothing was written (--dry-run)"
	}
	written, kept := 0, 0
	for _, s := range res.Steps {
		if s.Action == "kept" {
			kept++
		} else {
			written++
		}
	}
	fmt.Fprintf(&b, "published %s to %s: %d objects written, %d were there", res.Version, to, written, kept)
	switch {
	case !res.Latest:
		fmt.Fprintf(&b, "\n%s stays the latest version of region %s", res.Before, region)
	case res.Before.IsZero():
		fmt.Fprintf(&b, "\nregion %s now serves %s, its first version", region, res.Version)
	case res.Before == res.Version:
		fmt.Fprintf(&b, "\nregion %s serves %s, as before", region, res.Version)
	default:
		fmt.Fprintf(&b, "\nregion %s now serves %s (before: %s)", region, res.Version, res.Before)
	}
	return b.String()
}
