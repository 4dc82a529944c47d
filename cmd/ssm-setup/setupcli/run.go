// Package setupcli is the original's setup tool: ssm-setup called as ssm-setup-cli takes its flags, writes its log and answers in its
// sentences, for scripts and Greengrass components made for it. The work is done by installer/setup.
//
// What it downloads has to match the manifest, and be signed by the party that it is told to trust:
//
//	deb, rpm   gpg checks the region's FILE.sig with the key of -public-key, else with amazon-ssm-agent.gpg beside the program, or
//	           with the settings (packages bring it as trust/amazon-ssm-agent.gpg), else with the key this program was built with:
//	           ssm-setup build --trust KEY puts it into the packages and into the program
//	exe, msi   Authenticode: by the name of -signer, else by the signer of this program, with a chain that the system trusts
//
// Where no signer is named that is a warning, never silence; a signature by another one is a refusal.
//
// Files of this room: <logs>/ssm-setup-cli.log, appended to and rolled at 30 MB, five old ones (on-premises only).
package setupcli

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
	"github.com/ssm-setup/ssm-setup/installer/account"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/installer/sign"
)

// name is that of the original's setup tool (docs/protocol/update.md, "ssm-setup-cli").
const name = "ssm-setup-cli"

// Named tells whether a program was called under the original's name.
func Named(program string) bool { return strings.TrimSuffix(filepath.Base(program), ".exe") == name }

// Exit codes of the original's tool.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// Program is what surrounds a run.
type Program struct {
	Out, Err   io.Writer
	Ports      setup.Ports // Step and Progress are not needed: they go to the log
	TrustedKey string      // OpenPGP public key that packages must be signed with, base64; empty: none is built in
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
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(errw)
	set.Usage = func() { fmt.Fprint(errw, usageText) }
	for flag, to := range map[string]*string{"env": &p.Env, "region": &p.Region, "activation-code": &p.code, "activation-id": &p.id,
		"version": &p.Version, "manifest-url": &p.ManifestURL, "artifacts-dir": &p.Artifacts, "role": &p.Role, "tags": &p.Tags, "root": &p.Root,
		"public-key": &p.PublicKey, "signer": &p.Signer} {
		set.StringVar(to, flag, "", "")
	}
	for flag, to := range map[string]*bool{"help": &p.Help, "register": &p.Register, "override": &p.Override, "downgrade": &p.Downgrade,
		"skip-signature-validation": &p.SkipSignature, "install": &p.Install, "shutdown": &p.Shutdown} {
		set.BoolVar(to, flag, false, "")
	}
	return set
}

const usageText = `Usage: ssm-setup-cli [options]

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
  -signer NAME                who must have signed the installer for Windows; default the signer of this program
`

// run is one run as ssm-setup-cli.
type run struct {
	parameters
	agent setup.Installation
	ctx   context.Context
	out   io.Writer
	log   *levels
	self  string // this program
	own   string // its folder

	builtIn string       // the OpenPGP key this program was built with, base64
	trusted sign.Trusted // whose chains count; empty: those of this system

	administrator func() error
	launchers     func(installer.Layout) (int, error) // how many launchers run
	pause         func(context.Context, time.Duration)
}

// Run returns the exit code: 0 done, 1 failed, 2 unknown flag.
func Run(ctx context.Context, p Program, args []string) int {
	defer host.ServiceMask()()
	self := ownPath()
	s := &run{ctx: ctx, out: p.Out, self: self, own: filepath.Dir(self), builtIn: p.TrustedKey, trusted: sign.Trusted{Now: time.Now()},
		administrator: administrator, launchers: countLaunchers, pause: func(ctx context.Context, d time.Duration) { _ = host.Sleep(ctx, d) }}
	s.agent.Ports = p.Ports
	return s.run(args, p.Err)
}

func (s *run) run(args []string, errw io.Writer) int {
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
		owner, other, err := account.Of(s.Root)
		if err != nil {
			fmt.Fprintf(s.out, "%v\n", err)
			return exitFailed
		}
		if other {
			code, err := owner.Run(s.ctx, account.Program{Arguments: append([]string{name}, args...), Out: s.out, Err: errw})
			if err != nil {
				fmt.Fprintf(s.out, "%v\n", err)
				return exitFailed
			}
			return code
		}
		s.agent.Layout = installer.At(s.Root)
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
	if !setup.Privileged() {
		return setup.ErrNotRoot
	}
	return nil
}
