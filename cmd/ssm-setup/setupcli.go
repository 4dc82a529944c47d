package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/sign"
)

// setupCLIName is the original's setup tool; under that name this program takes its flags (spec update 3).
const setupCLIName = "ssm-setup-cli"

func calledAsSetupCLI(program string) bool {
	return strings.TrimSuffix(filepath.Base(program), ".exe") == setupCLIName
}

// parameters are the original's flags, and three of ours.
type parameters struct {
	Env           string `json:"env"`
	Region        string `json:"region"`
	Help          bool   `json:"help"`
	Register      bool   `json:"register"`
	Override      bool   `json:"override"`
	Version       string `json:"version"`
	Downgrade     bool   `json:"downgrade"`
	ManifestURL   string `json:"manifest-url"`
	SkipSignature bool   `json:"skip-signature-validation"`
	Install       bool   `json:"install"`
	Shutdown      bool   `json:"shutdown"`
	Artifacts     string `json:"artifacts-dir"`
	Role          string `json:"role"`
	Tags          string `json:"tags"`
	Root          string `json:"root,omitempty"`       // ours: an installation in a folder
	PublicKey     string `json:"public-key,omitempty"` // ours: see checkSignature
	Signer        string `json:"signer,omitempty"`     // ours, Windows: see checkSigner

	code, id string // secrets: never logged
}

// String is what may be logged.
func (p parameters) String() string {
	text, _ := json.Marshal(p) // plain strings and booleans
	return string(text)
}

func (p *parameters) flags(errw io.Writer) *flag.FlagSet {
	set := flag.NewFlagSet(setupCLIName, flag.ContinueOnError)
	set.SetOutput(errw)
	set.Usage = func() { fmt.Fprint(errw, setupCLIUsage) }
	for name, to := range map[string]*string{"env": &p.Env, "region": &p.Region, "activation-code": &p.code, "activation-id": &p.id,
		"version": &p.Version, "manifest-url": &p.ManifestURL, "artifacts-dir": &p.Artifacts, "role": &p.Role, "tags": &p.Tags, "root": &p.Root,
		"public-key": &p.PublicKey, "signer": &p.Signer} {
		set.StringVar(to, name, "", "")
	}
	for name, to := range map[string]*bool{"help": &p.Help, "register": &p.Register, "override": &p.Override, "downgrade": &p.Downgrade,
		"skip-signature-validation": &p.SkipSignature, "install": &p.Install, "shutdown": &p.Shutdown} {
		set.BoolVar(to, name, false, "")
	}
	return set
}

const setupCLIUsage = `Usage: ssm-setup-cli [options]

Installs the agent on a machine outside of EC2 and registers it, or acts as the installer of a Greengrass component.

  -env ENVIRONMENT            onprem (default) or greengrass
  -region REGION              region to install from and to register in
  -register                   register the machine
  -override                   register again although it is registered
  -help                       this text

onprem:
  -activation-code CODE       code of a hybrid activation
  -activation-id ID           its id
  -version VERSION            stable or latest; default what is installed, else stable
  -downgrade                  accept a version older than the installed one
  -manifest-url URL           manifest of another bucket, https only
  -skip-signature-validation  do not check the package's signature

greengrass:
  -install                    install the package of the artifacts folder
  -shutdown                   stop the agent
  -artifacts-dir DIR          folder with package and settings; default this program's own
  -role ROLE                  role to register with
  -tags JSON                  tags of the node

not options of the original:
  -root DIR                   another installation than the system's
  -public-key FILE            OpenPGP key that a deb or rpm must be signed with; default amazon-ssm-agent.gpg beside this
                              program or with the settings (also below trust/), then the key this program was built with
                              (ssm-setup build --trust FILE); without any, a warning, and the manifest's checksum alone
  -signer NAME                who must have signed the installer for Windows; default whoever signed this program
`

// setupRun is one run as ssm-setup-cli.
type setupRun struct {
	parameters
	ctx    context.Context
	out    io.Writer
	log    *levels
	layout installer.Layout
	self   string // this program
	own    string // its folder

	builtIn string       // the OpenPGP key this program was built with, base64
	trusted sign.Trusted // whose chains count; empty: those of this system

	administrator func() error
	agents        func(installer.Layout) (int, error) // how many launchers run
	pause         func(context.Context, time.Duration)
}

// runSetupCLI returns the exit code: 0 done, 1 failed, 2 unknown flag.
func runSetupCLI(args []string, out, errw io.Writer) int {
	ctx, stop := signalled()
	defer stop()
	self := ownPath()
	s := &setupRun{ctx: ctx, out: out, self: self, own: filepath.Dir(self), builtIn: trustedKey, trusted: sign.Trusted{Now: time.Now()},
		administrator: administrator, agents: countAgents, pause: pauseFor}
	return s.run(args, errw)
}

func (s *setupRun) run(args []string, errw io.Writer) int {
	set := s.flags(errw)
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	}
	if len(args) == 0 || s.Help {
		set.Usage()
		return exitOK
	}
	if s.Root != "" {
		s.layout = installer.At(s.Root)
		s.administrator = func() error { return nil }
	}
	flow := map[string]func() int{"": s.onprem, "onprem": s.onprem, "greengrass": s.greengrass}[strings.ToLower(s.Env)]
	if flow == nil {
		set.Usage()
		fmt.Fprintf(s.out, "Invalid environment. - %v\n", s.Env)
		return exitFailed
	}
	return flow()
}

// lacking says what is wrong with the parameters, in the original's words and order; empty when they will do.
func (p parameters) lacking(greengrass bool) string {
	var b strings.Builder
	for _, c := range []struct {
		wrong bool
		text  string
	}{
		{!greengrass && !p.Register, "Action required (register). "},
		{!greengrass && p.id != "" && p.code == "", "Activation code required for on-prem registration. "},
		{!greengrass && p.id == "" && p.code != "", "Activation id required for on-prem registration. "},
		{!greengrass && p.id == "" && p.code == "", "Activation id/code required for on-prem registration. "},
		{greengrass && p.Artifacts == "", "Artifacts directory required. "},
		{greengrass && !p.Install && !p.Register && !p.Shutdown, "Action required (install|register|shutdown). "},
		{greengrass && p.Register && p.Role == "", "Role required for registration. "},
		{p.Region == "", "Region required. "},
	} {
		if c.wrong {
			b.WriteString(c.text)
		}
	}
	return b.String()
}

// ownPath is where this program lies, links followed.
func ownPath() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return path
}

// administrator says why this user is none.
func administrator() error {
	if !elevated() {
		return errNotRoot
	}
	return nil
}

func pauseFor(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// errExhausted says that a service obeyed in none of the tries.
var errExhausted = errors.New("retries exhausted")

// again tries something up to tries times (0 is once), half a second apart.
func again(ctx context.Context, tries int, act func(context.Context) error) error {
	var err error
	for n := 1; ; n++ {
		if err = act(ctx); err == nil || tries == 0 || ctx.Err() != nil {
			return err
		}
		if n >= tries {
			return fmt.Errorf("%w: %w", errExhausted, err)
		}
		pauseFor(ctx, 500*time.Millisecond)
	}
}
