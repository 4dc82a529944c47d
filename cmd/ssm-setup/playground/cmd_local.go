package playground

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/caller"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/local/console"
)

// Local is the command local.
func Local() *cli.Command {
	return &cli.Command{
		Name:      "local",
		Usage:     "run a region on this machine",
		ArgsUsage: " ",
		Description: "A bucket, Systems Manager, message delivery and sts on one port that speaks plain HTTP and TLS, for agents, the AWS\n" +
			"CLI and SDKs. Its state lies in one folder and survives restarts. It runs until it is interrupted.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "data", Usage: "keep the state in `DIR` (default: ssm-setup/local-<name> in your configuration folder)"},
			&cli.StringFlag{Name: "listen", Usage: "serve at `ADDRESS`", Value: "127.0.0.1:7700"},
			&cli.StringFlag{Name: "name", Usage: "call the region `NAME`", Value: regions.Local},
			&cli.StringFlag{Name: "console", Usage: "serve the page for people at `ADDRESS`, beyond this machine over TLS only; off: not at all",
				Value: "127.0.0.1:0"},
			&cli.DurationFlag{Name: "token-life", Hidden: true, Usage: "let the role credentials of nodes live only `DURATION`"},
		},
		Action: serveLocal,
	}
}

// localReady is what --json says when the region serves.
type localReady struct {
	Region      string `json:"region"`
	URL         string `json:"url"`
	TLSURL      string `json:"tls_url"`
	Data        string `json:"data"`
	Credentials string `json:"credentials"`
	CA          string `json:"ca"`
	Manifest    string `json:"manifest"`
	PID         int    `json:"pid"`
	Console     string `json:"console,omitempty"` // without a one-time address: ssm-setup console has one
}

func serveLocal(c *cli.Context) error {
	out := terminal.Of(c)
	o, err := localOptions(c)
	if err != nil {
		return err
	}
	if c.Bool("verbose") {
		level := &slog.HandlerOptions{Level: slog.LevelDebug}
		if o.Log = slog.New(slog.NewTextHandler(out.Err, level)); out.JSON {
			o.Log = slog.New(slog.NewJSONHandler(out.Err, level))
		}
	}
	region, err := local.Open(o)
	if err != nil {
		return terminal.Cannot("open", "region "+o.Name, err)
	}
	if life := c.Duration("token-life"); life > 0 {
		region.TokenLife(life)
	}
	manifest, err := regions.ManifestURL(region.Name(), region.URL(), "")
	if err != nil {
		return errors.Join(err, region.Close())
	}
	page, err := openConsole(c, region, o.Log)
	if err != nil {
		return errors.Join(err, region.Close())
	}
	ready := localReady{region.Name(), region.URL(), region.TLSURL(), region.Data(), region.CredentialsFile(), region.CAFile(), manifest,
		os.Getpid(), ""}
	link := ""
	if page != nil {
		ready.Console, link = page.URL(), page.Link()
	}
	warnOfListen(out, c.String("listen"), region.URL())
	out.Result(ready, "%s", localText(region, manifest, link))
	defer announce(out, region)()
	<-c.Context.Done()
	if page != nil {
		err = page.Close()
	}
	if err := errors.Join(err, region.Close()); err != nil {
		return terminal.Cannot("close", "region "+region.Name(), err)
	}
	out.Step("region %s is closed; its state stays in %s", region.Name(), region.Data())
	return nil
}

// announce lets the account's other commands find the region by --region, until the function it returns is called. The region serves
// also where that cannot be.
func announce(out *terminal.Printer, r *local.Region) (end func()) {
	end, err := caller.Here().Announce(caller.Running{Region: r.Name(), Endpoint: r.URL(), TLSEndpoint: r.TLSURL(), CA: r.CAFile(),
		Credentials: r.CredentialsFile()})
	if err != nil {
		out.Step("warning: --region %s does not find this region, only --endpoint %s: %v", r.Name(), r.URL(), err)
		return func() {}
	}
	return end
}

// localOptions reads the flags.
func localOptions(c *cli.Context) (local.Options, error) {
	o := local.Options{Name: c.String("name"), Listen: c.String("listen"), Data: c.String("data")}
	if err := regions.Check(o.Name); err != nil {
		return o, terminal.Usage("--name: %v", err)
	}
	if page := c.String("console"); page != "off" {
		if _, _, err := net.SplitHostPort(page); err != nil {
			return o, terminal.Usage("--console: %v", err).WithHint("give address and port, for example 127.0.0.1:7701, or off")
		}
	}
	if _, _, err := net.SplitHostPort(o.Listen); err != nil {
		return o, terminal.Usage("--listen: %v", err).WithHint("give address and port, for example 127.0.0.1:7700")
	}
	if o.Data != "" {
		return o, nil
	}
	var err error
	o.Data, err = usualData(o.Name)
	return o, err
}

// usualData is where the state of a region lies unless told.
func usualData(name string) (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", terminal.Cannot("find", "a folder for the region's state", err).WithHint("name one with --data").WithKind(fault.Usage)
	}
	return filepath.Join(dir, "ssm-setup", "local-"+name), nil
}

// openConsole serves the page for people; nil where it is not wanted.
func openConsole(c *cli.Context, region *local.Region, log *slog.Logger) (*console.Console, error) {
	if c.String("console") == "off" {
		return nil, nil
	}
	page, err := console.Open(region, console.Options{Listen: c.String("console"), Log: log})
	if err != nil {
		return nil, terminal.Cannot("serve", "the console of region "+region.Name(), err)
	}
	return page, nil
}

func localText(r *local.Region, manifest, link string) string {
	page := ""
	if link != "" {
		page = "\n  console      " + link + "\n               (opens once, within 60 s; ssm-setup console prints another)"
	}
	return fmt.Sprintf(`region %[1]s is open at %[2]s and %[3]s
  state        %[4]s
  credentials  %[5]s
  CA           %[6]s
  manifest     %[7]s%[9]s

another terminal may now say:
  export AWS_SHARED_CREDENTIALS_FILE="%[5]s"
  aws --endpoint-url %[2]s --region %[1]s s3 ls s3://%[8]s/
  aws --endpoint-url %[2]s --region %[1]s ssm create-activation --iam-role local --registration-limit 10
  aws --endpoint-url %[2]s --region %[1]s ssm describe-instance-information
  ssm-setup publish --from dist --region %[1]s%[10]s
  ssm-setup install --region %[1]s%[10]s --root DIR --activation-id ID --activation-code-file F

interrupt to close it`, r.Name(), r.URL(), r.TLSURL(), r.Data(), r.CredentialsFile(), r.CAFile(), manifest,
		regions.Bucket(r.Name()), page, endpointArgument(r))
}

// endpointArgument is what a command line needs beside --region to find a local region: nothing, where its file tells.
func endpointArgument(r *local.Region) string {
	if r.Name() == regions.Local || !regions.Known(r.Name()) {
		return ""
	}
	return " --endpoint " + r.URL()
}
