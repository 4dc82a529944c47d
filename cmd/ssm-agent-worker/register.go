package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Variables that stand in for -id and -code, so that the code need not be in the list of processes.
const (
	activationIDVariable   = "SSM_ACTIVATION_ID"
	activationCodeVariable = "SSM_ACTIVATION_CODE"
)

// registerCLI is the command line of amazon-ssm-agent: register, fingerprint, version (docs/protocol/identity.md, "Hybrid
// activation"). Exit codes: 0 done, 1 failed or misused, 2 unknown flag.
func registerCLI(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer host.ServiceMask()()
	c := registration{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv, layout: installer.Here}
	return c.run(ctx, args)
}

// registration is that command line and its world.
type registration struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
	layout   func() (installer.Layout, error)

	flags registrationFlags
}

// registrationFlags are the original's (docs/protocol/identity.md, "amazon-ssm-agent flags").
type registrationFlags struct {
	register, disableSimilarity, clear, fingerprint, yes, version bool
	id, code, region, role, tags                                  string
	similarity                                                    int
	tools, firstInstall                                           bool // of the Windows installer
	linkDeletions                                                 string
	json                                                          bool // ours: the answer as data, see answer.go
}

func (c *registration) parse(args []string) (*flag.FlagSet, error) {
	f := &c.flags
	set := flag.NewFlagSet(filepath.Base(os.Args[0]), flag.ContinueOnError)
	set.SetOutput(c.err)
	set.BoolVar(&f.register, "register", false, "register managed instance")
	set.StringVar(&f.id, "id", "", "SSM activation ID")
	set.StringVar(&f.code, "code", "", "SSM activation code")
	set.StringVar(&f.region, "region", "", "SSM region")
	set.StringVar(&f.role, "role", "", "IAM role name the agent should assume")
	set.StringVar(&f.tags, "tags", "", "SSM tags for greengrass registration")
	set.BoolVar(&f.disableSimilarity, "disableSimilarityCheck", false,
		"Disable the agent hardware/fingerprint similarity check (similarity threshold is set to -1)")
	set.BoolVar(&f.clear, "clear", false, "Clears the previously saved SSM registration")
	set.BoolVar(&f.fingerprint, "fingerprint", false, "Whether to update the machine fingerprint similarity threshold")
	set.IntVar(&f.similarity, "similarityThreshold", identity.DefaultThreshold,
		"The new required percentage of matching hardware values (-1 disables hardware check)")
	set.BoolVar(&f.yes, "y", false, "Answer yes for all questions")
	set.BoolVar(&f.version, "version", false, "prints the version")
	set.BoolVar(&f.json, "json", false, "answer a registration as one JSON object")
	set.BoolVar(&f.tools, "tools", false, "tools of the Windows installer")
	set.BoolVar(&f.firstInstall, "winOnFirstInstallChecks", false, "checks of the Windows installer")
	set.StringVar(&f.linkDeletions, "allowLinkDeletions", "", "whether those checks may delete links (yes or no)")
	return set, set.Parse(args)
}

func (c *registration) run(ctx context.Context, args []string) int {
	set, err := c.parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	c.flags.id = either(c.flags.id, c.getenv(activationIDVariable))
	c.flags.code = either(c.flags.code, c.getenv(activationCodeVariable))
	f := c.flags
	switch {
	case f.version && set.NFlag() == 1 && set.NArg() == 0:
		return c.print(0, "SSM Agent version: %s", stamp.Version())
	case f.tools:
		return c.installerTools()
	case f.register && f.complete():
		return c.register(ctx)
	case f.register && f.clear:
		return c.clear()
	case f.register && c.asData():
		return c.fail(fmt.Errorf("%w: -id, -code or -region is missing", errUsage))
	case f.fingerprint && !f.register:
		return c.threshold()
	}
	c.usage()
	return 1
}

// complete tells whether there is all a registration needs.
func (f registrationFlags) complete() bool {
	return f.region != "" && (f.code != "" && f.id != "" || f.role != "")
}

// print prints a result line and returns the exit code.
func (c *registration) print(code int, format string, args ...any) int {
	fmt.Fprintf(c.out, format+"\n", args...)
	return code
}

// Why a registration was not tried.
var (
	errUsage      = fault.New(fault.Usage, "the command line is not complete", "")
	errRegistered = fault.New(fault.Refused, "this machine is registered already", "-y registers it anew")
	errCanceled   = errors.New("canceled")
)

// register makes this machine a managed node, or says why not.
func (c *registration) register(ctx context.Context) int {
	id, err := c.registerNode(ctx)
	if err != nil {
		return c.fail(err)
	}
	return c.succeed(id)
}

func (c *registration) registerNode(ctx context.Context) (id string, err error) {
	layout, err := c.layout()
	if err != nil {
		return "", err
	}
	activation, err := c.activation()
	if err != nil {
		return "", err
	}
	if old, _, _ := identity.Registered(layout); old != "" && !c.flags.yes {
		if err := c.confirm(old); err != nil {
			return "", err
		}
	}
	cfg, err := config.Load(layout.ConfigFile())
	if err != nil {
		return "", err
	}
	client, err := cloud.HTTP()
	if err != nil {
		return "", err
	}
	log := slog.New(slog.NewTextHandler(fault.Writer(c.err), &slog.HandlerOptions{Level: slog.LevelWarn}))
	return identity.Register(ctx, layout, cfg, identity.Options{HTTP: client, Log: log}, activation)
}

// activation is what the flags say to register with. With a role (Greengrass) the environment has the credentials.
func (c *registration) activation() (a identity.Activation, err error) {
	f := c.flags
	a = identity.Activation{ID: f.id, Code: f.code, Region: f.region, DisableSimilarity: f.disableSimilarity}
	if f.role == "" {
		return a, nil
	}
	a.Role = f.role
	if a.Tags, err = identity.ParseTags(f.tags); err != nil {
		return a, err
	}
	a.Credentials, err = identity.Container(c.getenv)
	return a, err
}

// confirm asks whether a registration may be replaced. Scripts pipe the answer (docs/protocol/identity.md, "Register decision"); a
// program that reads data is not asked, it says -y.
func (c *registration) confirm(old string) error {
	if c.asData() {
		return fmt.Errorf("%w as %s", errRegistered, old)
	}
	fmt.Fprint(c.out, "\nInstance already registered. Would you like to override existing with new registration information? [Yes/No]: ")
	var answer string
	if _, err := fmt.Fscanln(c.in, &answer); err != nil {
		return err
	}
	switch strings.ToLower(answer[:1]) {
	case "y":
		return nil
	case "n":
		return errCanceled
	}
	return errors.New("Invalid response received.") //nolint:staticcheck // the original's words
}

func (c *registration) clear() int {
	layout, err := c.layout()
	if err == nil {
		err = identity.Clear(layout, time.Now())
	}
	if err != nil {
		return c.print(1, "%v", err)
	}
	return c.print(0, "Registration information has been removed from the instance.")
}

func (c *registration) threshold() int {
	layout, err := c.layout()
	if err == nil {
		err = identity.SetThreshold(layout, c.flags.similarity)
	}
	if err != nil {
		return c.print(1, "Error setting the SimilarityThreshold. %v", err)
	}
	return c.print(0, "Fingerprint SimilarityThreshold set to %d", c.flags.similarity)
}

// installerTools are asked for by Windows packages before a first installation (docs/protocol/identity.md, "Windows first-install
// check"); elsewhere there is nothing to do.
func (c *registration) installerTools() int {
	if !c.flags.firstInstall || hardened() {
		return 0
	}
	layout, err := c.layout()
	if err == nil {
		err = checkLinks(filepath.Dir(filepath.Dir(layout.Data())), c.flags.linkDeletions == "yes")
	}
	if err != nil {
		return c.print(1, "%v", err)
	}
	return 0
}

func (c *registration) usage() {
	fmt.Fprint(c.err, `

Command-line Usage:
	-register	register managed instance
		-id         	SSM activation ID        	(REQUIRED with activation registration)
		-code       	SSM activation code      	(REQUIRED with activation registration)
		-region     	SSM region               	(REQUIRED with registration)
		-role       	IAM role name the agent should assume	(REQUIRED with greengrass registration)
		-tags       	SSM tags for greengrass registration	(OPTIONAL with greengrass registration)
		-disableSimilarityCheck	Disable the agent hardware/fingerprint similarity check (similarity threshold is set to -1)
		-clear      	Clears the previously saved SSM registration
		-y          	Answer yes for all questions
		-json       	Answer as one JSON object: instanceId and region, or error, code, kind and hint
		id and code may come from the variables SSM_ACTIVATION_ID and SSM_ACTIVATION_CODE instead
	-fingerprint	Whether to update the machine fingerprint similarity threshold
		-similarityThreshold	The new required percentage of matching hardware values (-1 disables hardware check)
	-version	prints the version, as the only flag
`)
}

func either(value, otherwise string) string {
	if value != "" {
		return value
	}
	return otherwise
}
