package setupcli

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/installer/sign/testca"
	"github.com/ssm-setup/ssm-setup/installer/signed"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// installation is one with the agent's own ports.
func installation(l installer.Layout) setup.Installation {
	return setup.Installation{Layout: l, Ports: ports()}
}

func ports() setup.Ports {
	return setup.Ports{Registered: identity.Registered, Configure: config.Set, UpdateEnded: func(installer.Layout,
		time.Duration) bool {
		return false
	}}
}

// said is what a run said.
type said struct {
	code     int
	out, err string
}

// call runs the tool.
func call(t *testing.T, args ...string) said {
	t.Helper()
	var out, errs bytes.Buffer
	code := Run(t.Context(), Program{Out: &out, Err: &errs, Ports: ports()}, args)
	return said{code, out.String(), errs.String()}
}

// Messages and exit codes are those of docs/protocol/update.md, "Flags of ssm-setup-cli".
func TestParametersAreAnsweredInTheOriginalsWords(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	root := t.TempDir()
	for name, c := range map[string]struct {
		args []string
		code int
		out  string
		err  string
	}{
		"environment": {[]string{"-env", "dummyEnv"}, 1, "Invalid environment. - dummyEnv\n", "Usage: ssm-setup-cli"},
		"only id": {[]string{"-register", "-region", "r", "-activation-id", "i"}, 1,
			"Invalid parameters - Activation code required for on-prem registration. \n", ""},
		"only code": {[]string{"-register", "-region=r", "--activation-code", "c"}, 1,
			"Invalid parameters - Activation id required for on-prem registration. \n", ""},
		"neither": {[]string{"-register", "-region", "r"}, 1,
			"Invalid parameters - Activation id/code required for on-prem registration. \n", ""},
		"nothing": {[]string{"-env", "OnPrem"}, 1,
			"Invalid parameters - Action required (register). Activation id/code required for on-prem registration. Region required. \n", ""},
		"no flags": {nil, 0, "", "Usage: ssm-setup-cli"},
		"help":     {[]string{"-help", "-env", "x"}, 0, "", "Usage: ssm-setup-cli"},
		"unknown":  {[]string{"-download"}, 2, "", "flag provided but not defined: -download"},
		"gg action": {[]string{"-env", "greengrass", "-region", "r"}, 1,
			"ERROR Invalid parameters - Action required (install|register|shutdown). \n", ""},
		"gg role, region": {[]string{"-env", "greengrass", "-register"}, 1,
			"ERROR Invalid parameters - Role required for registration. Region required. \n", ""},
		"gg not there": {[]string{"-env", "Greengrass", "-region", "r", "-register", "-role", "x"}, 1,
			"ERROR Agent must be installed before attempting to register", ""},
		"gg no package": {[]string{"-env", "greengrass", "-region", "r", "-install", "-artifacts-dir", root}, 1, "is missing in " + root, ""},
		"manifest": {[]string{"-register", "-region", "r", "-activation-id", "i", "-activation-code", "c", "-manifest-url", "http://x/y"},
			1, "Failed to perform Onprem registration: -manifest-url must start with https://", ""},
	} {
		t.Run(name, func(t *testing.T) {
			args := c.args
			if len(args) > 0 && name != "environment" && name != "unknown" && name != "help" {
				args = append(args, "-root", filepath.Join(root, "host"))
			}
			s := call(t, args...)
			if s.code != c.code || !strings.Contains(s.out, c.out) || !strings.Contains(s.err, c.err) || c.out == "" && s.out != "" {
				t.Errorf("%+v", s)
			}
			if strings.Contains(s.out, `"activation`) {
				t.Error("the activation is shown")
			}
		})
	}
}

func TestItNeedsAnAdministrator(t *testing.T) {
	for env, want := range map[string]string{"": "Please run as root/admin. Err:  " + setup.ErrNotRoot.Error() + "\n",
		"greengrass": "ERROR ssm-setup-cli is not executed by root\n"} {
		var out, errs bytes.Buffer
		s := &run{ctx: t.Context(), out: &out, administrator: func() error { return setup.ErrNotRoot }}
		if code := s.run([]string{"-env", env}, &errs); code != 1 || !strings.HasSuffix(out.String(), want) {
			t.Errorf("%d, %q", code, out.String())
		}
	}
}

// The table of docs/protocol/update.md, "On-premises flow".
func TestTheVersionToInstallIsTheOriginalsChoice(t *testing.T) {
	r := local.Start(t)
	file := manifests.PortableFile(runtime.GOOS, runtime.GOARCH)
	m := manifests.NewManifest(manifests.DefaultUriFormat)
	for v, status := range map[string]string{"9.1.0.0": manifests.Active, "9.2.0.0": manifests.Active, "9.3.0.0": manifests.Inactive} {
		m.Add(manifests.AgentPackage, file, manifests.FileVersion{Version: v, Checksum: strings.Repeat("a", 64), Status: status})
	}
	must(t, r.Put("ssm-agent-manifest.json", m.Bytes()))
	must(t, r.Put("stable/VERSION", []byte("9.1.0.0\n")))
	must(t, r.Put("latest/VERSION", []byte("9.4.0.0\n")))
	client := bucket.New(bucket.Options{Base: r.URL() + "/amazon-ssm-local", Retries: -1})
	target := func(want, installed string) (string, error) {
		var v manifests.Version
		if installed != "" {
			v = manifests.MustVersion(installed)
		}
		s := &run{ctx: t.Context(), parameters: parameters{Version: want}}
		m, err := client.Manifest(t.Context())
		must(t, err)
		got, err := s.target(client, m, file, v)
		return got.String(), err
	}
	for _, c := range []struct{ want, installed, target string }{
		{"", "", "9.1.0.0"}, {"", "9.0.0.0", "9.0.0.0"}, {"latest", "", "9.2.0.0"}, {"LATEST", "9.0.0.0", "9.2.0.0"},
		{"stable", "9.2.0.0", "9.1.0.0"}, {"Stable", "9.2.0.0", "9.2.0.0"}, {"9.1.0.0", "9.2.0.0", "9.2.0.0"},
	} {
		if got, err := target(c.want, c.installed); got != c.target || err != nil {
			t.Errorf("-version %q over %q: %s, %v; want %s", c.want, c.installed, got, err, c.target)
		}
	}
	if _, err := target("9.1.0.0", ""); err == nil || err.Error() != "incorrect package name or version, amazon-ssm-agent, " {
		t.Errorf("a number on an empty machine: %v", err)
	}
	m.Add(manifests.AgentPackage, file, manifests.FileVersion{Version: "255.255.65535.999", Checksum: strings.Repeat("a", 64),
		Status: manifests.Active})
	must(t, r.Put("ssm-agent-manifest.json", m.Bytes()))
	if got, err := target("latest", ""); got != "9.4.0.0" || err != nil {
		t.Errorf("the version that says look into VERSION: %s, %v", got, err)
	}
	for _, v := range []string{"9.1.0.0", "9.2.0.0", "255.255.65535.999"} {
		m.SetStatus(manifests.AgentPackage, manifests.MustVersion(v), manifests.Deprecated)
	}
	must(t, r.Put("ssm-agent-manifest.json", m.Bytes()))
	if _, err := target("stable", ""); !errors.Is(err, errNoLatest) {
		t.Errorf("a manifest without an active version: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Other settings stay, and the machine is to register by activation only.
func TestAMachineRegistersByActivationOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "amazon-ssm-agent.json")
	must(t, os.WriteFile(file, []byte(`{"Profile": {"ShareCreds": false}, "Mine": 7}`), 0o600))
	must(t, config.Set(file, onPremIdentity()))
	var got map[string]any
	text, _ := os.ReadFile(file)
	must(t, json.Unmarshal(text, &got))
	identity, _ := json.Marshal(got["Identity"])
	if got["Mine"] != 7.0 ||
		string(identity) != `{"ConsumptionOrder":["OnPrem"],"CustomIdentities":null,"Ec2SystemInfoDetectionResponse":""}` {
		t.Errorf("%s", text)
	}
}

// One process of the agent is right, none and two are wrong.
func TestExactlyOneAgentIsRight(t *testing.T) {
	for n, fine := range map[int]bool{0: false, 1: true, 2: false} {
		s := &run{ctx: t.Context(), launchers: func(installer.Layout) (int, error) { return n, nil },
			pause: func(context.Context, time.Duration) {}}
		if err := s.oneAgent(); (err == nil) != fine || err != nil && !strings.HasPrefix(err.Error(),
			"error while checking agent process count: invalid agent process count.") {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func TestTheComponentsEnvironmentWinsOverFlags(t *testing.T) {
	s := &run{own: "/own", parameters: parameters{Region: "flag", Role: "flag"}}
	s.environment(func(name string) string {
		return map[string]string{"AWS_REGION": "eu-west-1", "SSM_RESOURCE_TAGS": "[]", "SSM_OVERRIDE_EXISTING_REGISTRATION": "true"}[name]
	})
	if want := (parameters{Region: "eu-west-1", Role: "flag", Tags: "[]", Override: true, Artifacts: "/own"}); s.parameters != want {
		t.Errorf("%+v", s.parameters)
	}
	s = &run{}
	s.environment(func(name string) string {
		return map[string]string{"SSM_OVERRIDE_EXISTING_REGISTRATION": "True", "SSM_ARTIFACTS_PATH": "/a"}[name]
	})
	if s.Override || s.Artifacts != "/a" {
		t.Errorf("%+v", s.parameters)
	}
}

func TestPasswordsOfProxiesAreNotLogged(t *testing.T) {
	for in, want := range map[string]string{"http://u:p@proxy:3128": "http://***@proxy:3128", "proxy:3128": "proxy:3128",
		"u:p@proxy": "***@proxy"} {
		if got := withoutPassword(in); got != want {
			t.Errorf("%s became %s", in, got)
		}
	}
}

// onARoot is a run of the on-premises flow on an installation in a folder, up to what its region offers.
func onARoot(t *testing.T, r *local.Region, p parameters) (*run, *bytes.Buffer) {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	p.Root, p.Region, p.id, p.code = filepath.Join(dir, "host"), "local", "id", "code"
	var out bytes.Buffer
	self := filepath.Join(dir, "ssm-setup-cli")
	must(t, os.WriteFile(self, []byte("this program"), 0o755))
	return &run{ctx: t.Context(), parameters: p, agent: installation(installer.At(p.Root)), self: self, own: dir,
		log:   &levels{to: []io.Writer{&out}},
		pause: func(context.Context, time.Duration) {}}, &out
}

// offering is a region that lists the agent, with these promises about ssm-setup itself by version.
func offering(t *testing.T, tools map[string]string) *local.Region {
	t.Helper()
	r := local.Start(t)
	m := manifests.NewManifest(manifests.DefaultUriFormat)
	m.Add(manifests.AgentPackage, manifests.PortableFile(runtime.GOOS, runtime.GOARCH),
		manifests.FileVersion{Version: "9.1.0.0", Checksum: strings.Repeat("a", 64), Status: manifests.Active})
	p := pack.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH}
	for v, sum := range tools {
		m.Add(pack.SetupPackage, p.Executable("ssm-setup-"+p.OS+"-"+p.Arch), manifests.FileVersion{Version: v, Checksum: sum,
			Status: manifests.Active})
	}
	must(t, r.Put("ssm-agent-manifest.json", m.Bytes()))
	must(t, r.Put("stable/VERSION", []byte("9.1.0.0")))
	return r
}

// A copy that is not what the region published under its version installs nothing. One that the region does not know, or no
// longer, goes on: the original would refuse every copy after each release.
func TestAChangedCopyOfThisProgramInstallsNothing(t *testing.T) {
	sum := sha256.Sum256([]byte("this program"))
	same, other := hex.EncodeToString(sum[:]), strings.Repeat("b", 64)
	for name, c := range map[string]struct {
		tools   map[string]string
		refused bool
		said    string
	}{
		"as published":    {map[string]string{stamp.Version(): strings.ToUpper(same)}, false, "that the region published"},
		"another":         {map[string]string{stamp.Version(): other}, true, ""},
		"a newer release": {map[string]string{"9.255.0.0": other}, false, "does not list ssm-setup-cli " + stamp.Version()},
		"none":            {nil, false, "lists no ssm-setup-cli"},
	} {
		t.Run(name, func(t *testing.T) {
			r := offering(t, c.tools)
			s, out := onARoot(t, r, parameters{})
			err := s.installFrom(r.URL() + "/amazon-ssm-local")
			if c.refused {
				if !errors.Is(err, errSelf) || setup.Exists(s.Root) {
					t.Errorf("%v; something was made: %v", err, setup.Exists(s.Root))
				}
				return
			}
			if errors.Is(err, errSelf) || !errors.Is(err, bucket.ErrMissing) { // it went on to the package, which is not there
				t.Errorf("%v", err)
			}
			if !strings.Contains(out.String(), c.said) {
				t.Errorf("it says %s", out)
			}
		})
	}
}

// An older version than the installed one needs the flag.
func TestAnOlderVersionNeedsTheFlag(t *testing.T) {
	r := offering(t, nil)
	s, _ := onARoot(t, r, parameters{Version: "stable"})
	must(t, os.MkdirAll(s.agent.BinDir(), 0o755))
	must(t, os.WriteFile(s.agent.Launcher(), []byte("\x00ssm-setup-"+"version=9.2.0.0\x00"), 0o755))
	if err := s.installFrom(r.URL() + "/amazon-ssm-local"); err == nil || err.Error() != "downgrade flag is not set" {
		t.Errorf("without the flag: %v", err)
	}
	s.Downgrade = true // under a root the floor stays, whatever is asked: another refusal, later
	if err := s.installFrom(r.URL() + "/amazon-ssm-local"); errors.Is(err, errDowngradeFlag) || !errors.Is(err, setup.ErrOtherVersion) {
		t.Errorf("with the flag: %v", err)
	}
}

// A package for Windows counts only if the right name signed it, and a known authority vouches for that.
func TestAWindowsPackageIsSignedByTheRightName(t *testing.T) {
	n, stranger := testca.New(t, time.Now()), testca.New(t, time.Now())
	var trusted sign.Trusted
	must(t, trusted.ReadRoots(n.Root()))
	trusted.Now = time.Now()
	signed := func(by *testca.Authority, name string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "AmazonSSMAgentSetup.exe")
		program, err := os.ReadFile(windowsProgram(t))
		must(t, err)
		must(t, os.WriteFile(path, program, 0o755))
		if by == nil {
			return path
		}
		chain, key := by.RSA(name, testca.CodeSigning)
		signer, err := sign.Open(sign.Options{Cert: chain, Key: key, Time: time.Now(), Now: time.Now()})
		must(t, err)
		must(t, signer.Authenticode(t.Context(), path))
		return path
	}
	changed := signed(n, "Example Corp")
	b, _ := os.ReadFile(changed)
	b[len(b)/2] ^= 1
	must(t, os.WriteFile(changed, b, 0o755))
	unsigned, ours := signed(nil, ""), signed(n, "Example Corp")
	for name, c := range map[string]struct{ self, flag, file, said string }{
		"as this program":  {ours, "", signed(n, "Example Corp"), ""},
		"as the flag says": {unsigned, "Other Corp", signed(n, "Other Corp"), ""},
		"the flag wins": {ours, "Other Corp", ours,
			"cerificate identity is not valid: it is signed by Example Corp, not by Other Corp"},
		"another name": {ours, "", signed(n, "Other Corp"),
			"cerificate identity is not valid: it is signed by Other Corp, not by Example Corp"},
		"unsigned":                    {ours, "", unsigned, "is not signed"},
		"no authority vouches for it": {ours, "", signed(stranger, "Example Corp"), "it is signed by another party"},
		"changed":                     {ours, "", changed, "the signature does not match the file"},
		"this program is unsigned":    {unsigned, "", unsigned, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			s := &run{ctx: t.Context(), self: c.self, trusted: trusted, log: &levels{to: []io.Writer{&out}}, parameters: parameters{Signer: c.flag}}
			err := s.checkSignature(nil, packageFormat(t, "exe"), c.file, manifests.MustVersion("9.1.0.0"))
			if (err == nil) != (c.said == "") || err != nil && (!errors.Is(err, errSignature) || !strings.Contains(err.Error(), c.said)) {
				t.Errorf("%v", err)
			}
			if warned := strings.Contains(out.String(), "WARN the signature is not checked"); warned != (c.self == unsigned && c.flag == "") {
				t.Errorf("it says %s", &out)
			}
		})
	}
	// With the system's roots a stranger's chain is no fault of the file, but does not count either.
	report, err := pack.Verify(ours, sign.Trusted{Now: time.Now()})
	must(t, err)
	if err := signedBy(report, "Example Corp"); !errors.Is(err, errSigner) || signerOf(report) != "" {
		t.Errorf("unknown roots: %v, %s", err, signerOf(report))
	}
}

// windowsProgram is a small program for Windows.
func windowsProgram(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\nfunc main() {}\n"), 0o600))
	exe := filepath.Join(dir, "small.exe")
	cmd := exec.Command("go", "build", "-trimpath", "-o", exe, filepath.Join(dir, "main.go"))
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return exe
}

func packageFormat(t *testing.T, name string) pack.Format {
	t.Helper()
	list, err := pack.ParseFormats([]string{name})
	must(t, err)
	return list[0]
}

// A machine with a root of trust takes nothing unsigned from the on-premises flow either.
func TestAMachineWithARootInstallsNothingUnsigned(t *testing.T) {
	r := offering(t, nil)
	s, _ := onARoot(t, r, parameters{Version: "stable"})
	f := &signed.Folder{Dir: t.TempDir()}
	must(t, f.Init(signed.DefaultDays()))
	public, err := f.Make(signed.Ed25519, signed.OnlineAt, "all")
	must(t, err)
	keys := map[string][]crypto.PublicKey{}
	for _, role := range signed.Roles() {
		keys[role] = []crypto.PublicKey{public}
	}
	root, err := signed.NewRoot(keys, nil, time.Now().AddDate(1, 0, 0))
	must(t, err)
	ring, err := f.Ring(t.Context(), root, signed.Root)
	must(t, err)
	for _, key := range ring {
		_, err := root.Sign(t.Context(), key, nil)
		must(t, err)
	}
	b, err := root.Bytes()
	must(t, err)
	_, err = anchor.Pin(s.agent.Layout, b)
	must(t, err)
	if err := s.installFrom(r.URL() + "/amazon-ssm-local"); !errors.Is(err, trust.ErrUnsigned) {
		t.Errorf("got %v", err)
	}
}
