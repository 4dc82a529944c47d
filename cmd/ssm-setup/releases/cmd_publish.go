package releases

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
)

// writeFlags say where a subcommand that changes a region's bucket finds it.
func writeFlags() []cli.Flag {
	return []cli.Flag{
		flags.Region("region to change"),
		flags.Source(),
		flags.Endpoint("the region's S3"),
		&cli.StringFlag{Name: "to", Usage: "write to another `PLACE` than the source: a folder, or s3://bucket/prefix"},
		&cli.StringFlag{Name: "profile", Usage: "profile of the shared AWS files"},
		&cli.BoolFlag{Name: "dry-run", Usage: "only show what would be written"},
		flags.Unknown(),
		flags.Insecure(),
	}
}

// repositoryFlags are for subcommands that keep the metadata of apt and yum.
func repositoryFlags() []cli.Flag {
	return append(pgpFlags(), &cli.BoolFlag{Name: "no-repositories", Usage: "leave the apt and yum metadata alone"},
		&cli.BoolFlag{Name: "change-key", Usage: "sign with another OpenPGP key than before: clients refuse the repositories until they have it"})
}

// Publish is the command publish.
func Publish() *cli.Command {
	return &cli.Command{
		Name:  "publish",
		Usage: "put a release into a region: packages first, manifest next, VERSION last",
		Description: "Takes what build wrote and merges it into the region's bucket; versions that are there stay. Running it again\n" +
			"finishes what was interrupted. The bucket is one of your own, named by --source: the one that a region has from the start\n" +
			"is Amazon's. Credentials come from the usual AWS chain (AWS_ACCESS_KEY_ID …, AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE,\n" +
			"roles). Beside the packages it keeps what apt, yum, dnf and zypper need to install from there, and an Atom feed,\n" +
			publish.FeedKey + ".",
		Flags: append(append([]cli.Flag{
			&cli.StringFlag{Name: "from", Value: "dist", Usage: "folder that build wrote (or one version's folder in it)"},
			&cli.StringFlag{Name: "version", Usage: "which version in that folder; default the newest"},
			&cli.StringFlag{Name: "global", Usage: "also copy latest/ to `PLACE`, for example s3://ec2-downloads-windows/SSMAgent"},
			&cli.BoolFlag{Name: "replace", Usage: "publish other content under a version that is already there"},
			&cli.IntFlag{Name: "deltas", Value: 3, Usage: "make small downloads from this many of the last versions; 0 makes none"},
			percentFlag(),
			yesFlag(),
		}, writeFlags()...), signingFlags()...),
		Action: publishRelease,
	}
}

func publishRelease(c *cli.Context) error {
	out := terminal.Of(c)
	want, err := wantedVersion(c)
	if err != nil {
		return err
	}
	percent, err := percentOf(c)
	if err != nil {
		return err
	}
	to, o, p, done, err := openRegion(c)
	if err != nil {
		return err
	}
	defer done()
	release, err := dist.Open(c.String("from"), want)
	if err != nil {
		return terminal.Cannot("read", "the release in "+c.String("from"), err)
	}
	if o.Deltas = c.Int("deltas"); o.Deltas < 0 || o.Deltas > 20 {
		return terminal.Usage("--deltas: 0 to 20")
	}
	o.Percent = percent
	if !release.Newer.IsZero() {
		out.Warn("%s of %s holds no release: %s is published, the newest that is one", release.Newer, c.String("from"), release.Version)
	}
	o.Replace, o.Progress = c.Bool("replace"), out.Progress("publishing "+release.Version.String())
	if place := c.String("global"); place != "" {
		if o.Global, _, err = publishTarget(c, p, place); err != nil {
			return err
		}
	}
	if o.Replace && !o.DryRun {
		if err := out.Confirm(c.Context, c.Bool("yes"), "replace what %s has of %s?", to, release.Version); err != nil {
			return terminal.Cannot("publish", fmt.Sprintf("%s to %s", release.Version, to), err)
		}
	}
	out.Step("publishing %s to %s", release.Version, to)
	res, err := publish.Publish(c.Context, to, release, o)
	if err != nil {
		return terminal.Cannot("publish", fmt.Sprintf("%s to %s", release.Version, to), err)
	}
	region := o.Region
	out.Result(publishAnswer{res, region, to.String()}, "%s", publishText(res, region, to.String()))
	return nil
}

// wantedVersion is --version, zero where it is left out.
func wantedVersion(c *cli.Context) (want manifests.Version, err error) {
	if text := c.String("version"); text != "" {
		if want, err = manifests.ParseVersion(text); err != nil {
			return want, terminal.Usage("--version: %v", err)
		}
	}
	return want, nil
}

// openRegion is the bucket that writeFlags name, and options from all flags that such subcommands share. done gives its lock back.
func openRegion(c *cli.Context) (to target.Target, o publish.Options, p flags.Place, done func(), err error) {
	o = publish.Options{DryRun: c.Bool("dry-run"), Warn: func(text string) { terminal.Of(c).Step("warning: %s", text) }}
	if p, err = flags.PlaceOf(c, flags.Needs{Folder: c.String("to") != ""}); err != nil {
		return nil, o, p, nil, err
	}
	o.Region = p.Region
	if _, err := p.NewBase(c.Bool("allow-insecure")); err != nil {
		return nil, o, p, nil, terminal.Cannot("write", "to region "+o.Region, err)
	}
	place, err := placeToWrite(c, p)
	if err == nil {
		err = refuseAmazons(c, p)
	}
	if err != nil {
		return nil, o, p, nil, err
	}
	if to, o.UriFormat, err = publishTarget(c, p, place); err != nil {
		return nil, o, p, nil, err
	}
	if err := errors.Join(repositoryOptions(c, &o), trustOptions(c, &o)); err != nil {
		return nil, o, p, nil, err
	}
	if place == "" || strings.HasPrefix(place, "s3://") || o.DryRun {
		return to, o, p, func() {}, nil
	}
	if done, err = publish.LockFolder(place); err != nil {
		return nil, o, p, nil, terminal.Cannot("write", "to "+place, err)
	}
	return to, o, p, done, nil
}

// refuseAmazons refuses the bucket that Amazon publishes to: every host finds it without being told, and no other account may write there.
func refuseAmazons(c *cli.Context, p flags.Place) error {
	name, _, _, ok := p.Source.S3(p.Region)
	if c.String("to") != "" || p.Endpoint != "" || !ok || name != regions.Bucket(p.Region) {
		return nil
	}
	return terminal.Cannot("write", "to s3://"+name, errors.New("that bucket is Amazon's own, and only Amazon can publish to it")).
		WithKind(fault.Usage).WithHint("make a bucket of your own and name it, here and for install: --source 's3://my-ssm-{Region}', " +
		"or SSM_SETUP_SOURCE; a folder is written with --to")
}

// placeToWrite is --to, else the source: a folder, or s3://bucket/prefix; empty for the region's own bucket.
func placeToWrite(c *cli.Context, p flags.Place) (string, error) {
	if place := c.String("to"); place != "" || p.Source.IsZero() {
		return place, nil
	}
	if _, ok := p.Source.Directory(); ok {
		base, err := p.Base()
		dir, _ := regions.FolderOf(base)
		return dir, err
	}
	bucket, prefix, _, ok := p.Source.S3(p.Region)
	if !ok {
		return "", terminal.Cannot("write", "to "+p.Source.For(p.Region), errors.New("a web server only shows files")).WithKind(fault.Usage).
			WithHint("name the folder or bucket behind it, with --to or as the source")
	}
	return "s3://" + strings.TrimSuffix(bucket+"/"+prefix, "/"), nil
}

// repositoryOptions reads repositoryFlags. The key must be good before anything is written.
func repositoryOptions(c *cli.Context, o *publish.Options) error {
	o.Repositories, o.ChangeKey, o.SharesKey = !c.Bool("no-repositories"), c.Bool("change-key"), sign.SharesKey
	signer, err := openKeys(c, time.Now())
	if err != nil || signer == nil {
		return err
	}
	o.Sign = signer
	return nil
}

type publishAnswer struct {
	publish.Result
	Region string `json:"region"`
	To     string `json:"to"`
}

// publishTarget understands a place to write to: nothing (the region's bucket), s3://bucket/prefix, or a folder. The second result is the
// template a new manifest there carries.
func publishTarget(c *cli.Context, p flags.Place, place string) (target.Target, string, error) {
	region, endpoint := p.Region, regions.WithScheme(p.Endpoint)
	base, err := regions.BucketURL(region, endpoint, "")
	if err != nil {
		return nil, "", err
	}
	at := target.BucketOptions{Region: region, Endpoint: endpoint, Profile: c.String("profile"), Shared: p.Credentials,
		Bucket: regions.Bucket(region)}
	rest, isBucket := strings.CutPrefix(place, "s3://")
	switch {
	case place == "":
	case isBucket:
		if at.Bucket, at.Prefix, _ = strings.Cut(strings.Trim(rest, "/"), "/"); at.Bucket == "" {
			return nil, "", terminal.Usage("%s names no bucket", place)
		}
		base = strings.TrimSuffix(base, regions.Bucket(region)) + strings.Trim(rest, "/")
		if _, _, lies, ok := p.Source.S3(region); ok && c.String("to") == "" && lies != region {
			at.Region = lies
			base, err = p.Base()
		}
	default:
		return target.Folder(place), templateOf(base, region, endpoint), nil
	}
	if err != nil {
		return nil, "", err
	}
	to, err := bucketTarget(c.Context, at)
	return to, templateOf(base, region, endpoint), err
}

func bucketTarget(ctx context.Context, at target.BucketOptions) (target.Target, error) {
	to, err := target.Bucket(ctx, at)
	if err != nil {
		return nil, terminal.Cannot("open", "bucket "+at.Bucket, err)
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

// plan is what a dry run says: one line an object, and the sum.
func plan(steps []publish.Step) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	io.WriteString(w, "action\tbytes\tkey\n")
	for _, s := range steps {
		key := s.Key
		if s.Global {
			key += " (global copy)"
		}
		if s.CopyOf != "" {
			key += " (copied there from " + s.CopyOf + ")"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\n", s.Action, s.Size, key)
	}
	w.Flush()
	written, kept := tally(steps)
	fmt.Fprintf(&b, "%d objects would be written, %d are there already: %s; nothing was written (--dry-run)", written, kept, traffic(steps))
	return b.String()
}

// traffic says how many bytes go which way.
func traffic(steps []publish.Step) string {
	t := publish.TrafficOf(steps)
	return fmt.Sprintf("%s to send, %s to copy there, %s there already", terminal.Size(t.Sent), terminal.Size(t.Copied), terminal.Size(t.Kept))
}

func tally(steps []publish.Step) (written, kept int) {
	for _, s := range steps {
		switch s.Action {
		case publish.Same:
			kept++
		case publish.Removed:
		default:
			written++
		}
	}
	return written, kept
}

func publishText(res publish.Result, region, to string) string {
	if res.DryRun {
		return plan(res.Steps)
	}
	var b strings.Builder
	written, kept := tally(res.Steps)
	t := res.Traffic
	fmt.Fprintf(&b, "published %s to %s: %d objects written, %d were there (%s sent, %s copied there, %s there already)", res.Version, to,
		written, kept, terminal.Size(t.Sent), terminal.Size(t.Copied), terminal.Size(t.Kept))
	switch {
	case !res.Latest && res.Before.IsZero():
		fmt.Fprintf(&b, "\nregion %s has no latest version yet: this one is not active", region)
	case !res.Latest:
		fmt.Fprintf(&b, "\n%s stays the latest version of region %s", res.Before, region)
	case res.Before.IsZero():
		fmt.Fprintf(&b, "\nregion %s now serves %s, its first version", region, res.Version)
	case res.Before == res.Version:
		fmt.Fprintf(&b, "\nregion %s serves %s, as before", region, res.Version)
	default:
		fmt.Fprintf(&b, "\nregion %s now serves %s (before: %s)", region, res.Version, res.Before)
	}
	if res.Stable.IsZero() {
		b.WriteString("\nno version was promoted yet: stable follows latest until ssm-setup promote")
	}
	return b.String()
}
