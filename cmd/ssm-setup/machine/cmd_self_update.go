package machine

import (
	"bufio"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/manifests/fault"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/caller"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/selfswap"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// SelfUpdate is the command self-update.
func SelfUpdate() *cli.Command {
	return &cli.Command{
		Name:  "self-update",
		Usage: "replace this ssm-setup by another version",
		Description: "From a region, or from a file whose SHA-256 is given or stands in a SHA256SUMS file beside it. The old program is\n" +
			"kept beside the new one, with .old at the end of its name. Where this machine, or the installation of --root, has a root of\n" +
			"trust, only what that signed is taken from a region.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "from", Usage: "`FILE` with the new program"},
			&cli.StringFlag{Name: "sha256", Usage: "its SHA-256, where no SHA256SUMS lies beside it"},
			flags.Region("region to fetch it from"),
			flags.Source(),
			&cli.StringFlag{Name: "version", Usage: "a version or constraint; default the region's newest"},
			flags.Endpoint("the region's S3"),
			flags.Root(),
			&cli.BoolFlag{Name: "allow-downgrade", Usage: "accept an older version"},
			flags.Unknown(),
			&cli.BoolFlag{Name: "scheduled", Usage: "as the timer of Amazon's agent does: only where a root of trust verifies what is taken"},
			dryRunFlag(),
			flags.Insecure(),
		},
		Action: selfUpdate,
	}
}

// errNotSetup says that a file is another program.
var errNotSetup = fault.New(fault.Usage, "it is not ssm-setup",
	"name a file such as "+pack.Setup+"-linux-amd64 of a release")

// errNoSum says that a file comes without a checksum.
var errNoSum = fault.New(fault.Verify, "no checksum is known for it",
	"give --sha256, or put SHA256SUMS of the release beside the file")

func selfUpdate(c *cli.Context) error {
	out := terminal.Of(c)
	if c.IsSet("from") && (c.IsSet("region") || c.IsSet("source") || c.IsSet("endpoint")) {
		return terminal.Usage("give either --from FILE, or --region R and --source PLACE")
	}
	if c.Bool("scheduled") && anchor.With(installer.At(""), nil, watchTrust(c)) == nil {
		out.Result(map[string]any{"version": stamp.Version(), "replaced": false},
			"this machine has no root of trust: ssm-setup %s does not renew itself", stamp.Version())
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return terminal.Cannot("find", "this program's own file", err)
	}
	file, sum, region, done, err := newSetup(c, out)
	defer done()
	if err != nil {
		return err
	}
	if file == "" {
		out.Result(map[string]any{"version": stamp.Version(), "replaced": false}, "ssm-setup %s is what region %s offers: up to date",
			stamp.Version(), region)
		return nil
	}
	version, err := checkSetup(file, c.Bool("allow-downgrade"))
	if err != nil {
		return selfProblem(err)
	}
	if c.Bool("dry-run") {
		rehearse(out, fmt.Sprintf("replace ssm-setup %s (%s) by %s", stamp.Version(), self, version), nil)
		return nil
	}
	f, err := os.Open(file)
	if err != nil {
		return selfProblem(err)
	}
	defer f.Close()
	old, err := selfswap.Replace(self, f, sum)
	if err != nil {
		return selfProblem(err)
	}
	out.Result(map[string]any{"version": version.String(), "before": stamp.Version(), "replaced": true, "old": old},
		"ssm-setup %s is now %s; the old program is %s", stamp.Version(), version, old)
	return nil
}

// newSetup is the new program's file with its checksum: the file of --from, or what the region that it names offers (no file: what runs
// already). done removes what was downloaded.
func newSetup(c *cli.Context, out *terminal.Printer) (file, sum, region string, done func(), err error) {
	done = func() {}
	if file = c.String("from"); c.IsSet("from") {
		if _, err := os.Stat(file); err != nil {
			return "", "", "", done, terminal.Unreadable("--from", err, "name a file that can be read")
		}
		if sum, err = sumOf(file, c.String("sha256")); err != nil {
			return "", "", "", done, selfProblem(err)
		}
		return file, sum, "", done, nil
	}
	l, err := flags.Layout(c)
	if err != nil {
		return "", "", "", done, err
	}
	p, err := flags.PlaceOf(c, flags.Needs{Installed: func() string { return installedRegion(l) }})
	if errors.Is(err, caller.ErrNoRegion) {
		return "", "", "", done, terminal.Usage("give either --from FILE or --region R")
	}
	if err != nil {
		return "", "", "", done, err
	}
	file, sum, fetched, err := fetchSetup(c, out, l, p)
	if fetched != nil {
		done = fetched
	}
	if err != nil {
		return "", "", "", done, selfProblem(err)
	}
	return file, sum, p.Region, done, nil
}

// installedRegion is the region of an installation's agent.
func installedRegion(l installer.Layout) string {
	_, region, _ := identity.Registered(l)
	return region
}

func selfProblem(err error) error {
	return refusedBy(terminal.Cannot("replace", "this ssm-setup", err))
}

// sumOf is the promised SHA-256 of a file: as given, or from SHA256SUMS beside it.
func sumOf(file, given string) (string, error) {
	if given != "" {
		return strings.ToLower(strings.TrimSpace(given)), nil
	}
	f, err := os.Open(filepath.Join(filepath.Dir(file), build.SumsFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%w: %s", errNoSum, file)
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if sum, name, ok := strings.Cut(s.Text(), " "); ok && strings.TrimLeft(name, " *") == filepath.Base(file) {
			return sum, nil
		}
	}
	return "", fmt.Errorf("%w: %s is not in %s", errNoSum, filepath.Base(file), f.Name())
}

// checkSetup looks at the new program without running it.
func checkSetup(file string, allowDowngrade bool) (manifests.Version, error) {
	platform, err := pack.PlatformOf(file)
	if err != nil {
		return manifests.Version{}, err
	}
	if here := (pack.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH}); platform != here {
		return manifests.Version{}, fmt.Errorf("%w: %s is for %s, not for %s", pack.ErrPlatform, file, platform, here)
	}
	version, err := pack.VersionOf(file)
	if err != nil {
		return version, err
	}
	if info, err := buildinfo.ReadFile(file); err != nil || path.Base(info.Path) != pack.Setup { // other programs state versions, too
		return version, fmt.Errorf("%w: %s", errNotSetup, file)
	}
	now := manifests.MustVersion(stamp.Version())
	if version.Less(now) && !allowDowngrade {
		return version, &setup.NoOffer{Answer: manifests.Decision{Code: manifests.CodeDowngrade, Hints: []string{"--allow-downgrade accepts it"},
			Detail: fmt.Sprintf("%s is older than this %s", version, now)}}
	}
	return version, nil
}

// fetchSetup downloads what the region offers; no file when that is what runs already.
func fetchSetup(c *cli.Context, out *terminal.Printer, l installer.Layout, p flags.Place) (file, sum string, done func(), err error) {
	base, err := p.NewBase(c.Bool("allow-insecure"))
	if err != nil {
		return "", "", nil, err
	}
	signed := anchor.Look(l, nil, watchTrust(c))
	if !c.Bool("dry-run") {
		signed = anchor.Signed(l, watchTrust(c))
	}
	client := bucket.New(bucket.Options{Base: base, Retries: 2, Signed: signed})
	o, err := askSetup(c.Context, client, p.Region, c.String("version"), c.Bool("allow-downgrade"))
	warnOlder(out, o.Newer, o.Version)
	if err != nil || o.Version.String() == stamp.Version() {
		return "", "", nil, err
	}
	dir, err := os.MkdirTemp("", "ssm-setup-self-")
	if err != nil {
		return "", "", nil, err
	}
	done = func() { os.RemoveAll(dir) }
	file = filepath.Join(dir, o.File)
	err = client.Fetch(c.Context, bucket.Want{URL: client.FileURL(pack.SetupPackage, o.Version, o.File), Path: file, SHA256: o.SHA256,
		Size: o.Size, Progress: out.Progress("downloading " + o.File)})
	return file, o.SHA256.String(), done, err
}

func setupFile() string {
	for _, f := range pack.Formats() {
		if f.Package == pack.SetupPackage {
			return f.File(pack.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH})
		}
	}
	return ""
}

func askSetup(ctx context.Context, client *bucket.Client, region, want string, allowDowngrade bool) (setup.Offer, error) {
	now := manifests.MustVersion(stamp.Version())
	return setup.ReadOffer(ctx, client, setupFile(), manifests.Question{Package: pack.SetupPackage, Region: region, Running: now,
		Requested:      want,
		AllowDowngrade: allowDowngrade})
}
