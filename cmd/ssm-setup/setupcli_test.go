package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// asSetupCLI runs the program under the original's name.
func asSetupCLI(args ...string) said {
	var out, errs bytes.Buffer
	code := run(append([]string{"/opt/x/ssm-setup-cli"}, args...), nil, &out, &errs)
	return said{code, out.String(), errs.String()}
}

// Messages and exit codes are spec update 3.1; the numbers are those of its section 7.
func TestSetupCLIParameters(t *testing.T) {
	root := t.TempDir()
	for name, c := range map[string]struct {
		args []string
		code int
		out  string
		err  string
	}{
		"75 environment":  {[]string{"-env", "dummyEnv"}, 1, "Invalid environment. - dummyEnv\n", "Usage: ssm-setup-cli"},
		"76 only id":      {[]string{"-register", "-region", "r", "-activation-id", "i"}, 1, "Invalid parameters - Activation code required for on-prem registration. \n", ""},
		"76 only code":    {[]string{"-register", "-region=r", "--activation-code", "c"}, 1, "Invalid parameters - Activation id required for on-prem registration. \n", ""},
		"neither":         {[]string{"-register", "-region", "r"}, 1, "Invalid parameters - Activation id/code required for on-prem registration. \n", ""},
		"nothing":         {[]string{"-env", "OnPrem"}, 1, "Invalid parameters - Action required (register). Activation id/code required for on-prem registration. Region required. \n", ""},
		"77 no flags":     {nil, 0, "", "Usage: ssm-setup-cli"},
		"help":            {[]string{"-help", "-env", "x"}, 0, "", "Usage: ssm-setup-cli"},
		"unknown":         {[]string{"-download"}, 2, "", "flag provided but not defined: -download"},
		"gg action":       {[]string{"-env", "greengrass", "-region", "r"}, 1, "ERROR Invalid parameters - Action required (install|register|shutdown). \n", ""},
		"gg role, region": {[]string{"-env", "greengrass", "-register"}, 1, "ERROR Invalid parameters - Role required for registration. Region required. \n", ""},
		"gg not there":    {[]string{"-env", "Greengrass", "-region", "r", "-register", "-role", "x"}, 1, "ERROR Agent must be installed before attempting to register", ""},
		"gg no package":   {[]string{"-env", "greengrass", "-region", "r", "-install", "-artifacts-dir", root}, 1, "is missing in " + root, ""},
		"manifest":        {[]string{"-register", "-region", "r", "-activation-id", "i", "-activation-code", "c", "-manifest-url", "http://x/y"}, 1, "Failed to perform Onprem registration: -manifest-url must start with https://", ""},
	} {
		t.Run(name, func(t *testing.T) {
			args := c.args
			if len(args) > 0 && name != "75 environment" && name != "unknown" && name != "help" {
				args = append(args, "-root", filepath.Join(root, "host"))
			}
			s := asSetupCLI(args...)
			if s.code != c.code || !strings.Contains(s.out, c.out) || !strings.Contains(s.err, c.err) || c.out == "" && s.out != "" {
				t.Errorf("%+v", s)
			}
			if strings.Contains(s.out, `"activation`) {
				t.Error("the activation is shown")
			}
		})
	}
}

func TestSetupCLINeedsAnAdministrator(t *testing.T) {
	for env, want := range map[string]string{"": "Please run as root/admin. Err:  " + errNotRoot.Error() + "\n", "greengrass": "ERROR ssm-setup-cli is not executed by root\n"} {
		var out, errs bytes.Buffer
		s := &setupRun{ctx: t.Context(), out: &out, administrator: func() error { return errNotRoot }}
		if code := s.run([]string{"-env", env}, &errs); code != 1 || !strings.HasSuffix(out.String(), want) {
			t.Errorf("%d, %q", code, out.String())
		}
	}
}

// The table of spec update 3.4, step 4.
func TestSetupCLITarget(t *testing.T) {
	r := local.Start(t)
	file := manifests.PortableFile(runtime.GOOS, runtime.GOARCH)
	m := manifests.NewManifest(manifests.DefaultUriFormat)
	for v, status := range map[string]string{"9.1.0.0": manifests.Active, "9.2.0.0": manifests.Active, "9.3.0.0": manifests.Inactive} {
		m.Add(manifests.AgentPackage, file, manifests.Release{Version: v, Checksum: strings.Repeat("a", 64), Status: status})
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
		s := &setupRun{ctx: t.Context(), parameters: parameters{Version: want}}
		got, err := s.target(client, file, v)
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
	m.Add(manifests.AgentPackage, file, manifests.Release{Version: "255.255.65535.999", Checksum: strings.Repeat("a", 64), Status: manifests.Active})
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

// 83: other settings stay, and the machine is to register by activation only.
func TestSetupCLISettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "amazon-ssm-agent.json")
	must(t, os.WriteFile(file, []byte(`{"Profile": {"ShareCreds": false}, "Mine": 7}`), 0o600))
	must(t, config.Set(file, onPremIdentity()))
	var got map[string]any
	text, _ := os.ReadFile(file)
	must(t, json.Unmarshal(text, &got))
	identity, _ := json.Marshal(got["Identity"])
	if got["Mine"] != 7.0 || string(identity) != `{"ConsumptionOrder":["OnPrem"],"CustomIdentities":null,"Ec2SystemInfoDetectionResponse":""}` {
		t.Errorf("%s", text)
	}
}

// 86: one process of the agent is right, none and two are wrong.
func TestSetupCLICountsAgents(t *testing.T) {
	for n, fine := range map[int]bool{0: false, 1: true, 2: false} {
		s := &setupRun{ctx: t.Context(), agents: func(installer.Layout) (int, error) { return n, nil }, pause: func(context.Context, time.Duration) {}}
		if err := s.oneAgent(); (err == nil) != fine || err != nil && !strings.HasPrefix(err.Error(), "error while checking agent process count: invalid agent process count.") {
			t.Errorf("%d: %v", n, err)
		}
	}
}

// 88: four failures are too many, one is none.
func TestSetupCLIStartsAgain(t *testing.T) {
	for failures, fine := range map[int]bool{0: true, 1: true, 3: true, 4: false} {
		n := 0
		err := again(t.Context(), 4, func(context.Context) error {
			if n++; n <= failures {
				return os.ErrDeadlineExceeded
			}
			return nil
		})
		if (err == nil) != fine || !fine && !strings.HasPrefix(err.Error(), "retries exhausted") {
			t.Errorf("%d failures: %v", failures, err)
		}
	}
}

func TestSetupCLIEnvironmentWins(t *testing.T) {
	s := &setupRun{own: "/own", parameters: parameters{Region: "flag", Role: "flag"}}
	s.environment(func(name string) string {
		return map[string]string{"AWS_REGION": "eu-west-1", "SSM_RESOURCE_TAGS": "[]", "SSM_OVERRIDE_EXISTING_REGISTRATION": "true"}[name]
	})
	if want := (parameters{Region: "eu-west-1", Role: "flag", Tags: "[]", Override: true, Artifacts: "/own"}); s.parameters != want {
		t.Errorf("%+v", s.parameters)
	}
	s = &setupRun{}
	s.environment(func(name string) string {
		return map[string]string{"SSM_OVERRIDE_EXISTING_REGISTRATION": "True", "SSM_ARTIFACTS_PATH": "/a"}[name]
	})
	if s.Override || s.Artifacts != "/a" {
		t.Errorf("%+v", s.parameters)
	}
}

func TestSetupCLIHidesProxyPasswords(t *testing.T) {
	for in, want := range map[string]string{"http://u:p@proxy:3128": "http://***@proxy:3128", "proxy:3128": "proxy:3128", "u:p@proxy": "***@proxy"} {
		if got := withoutPassword(in); got != want {
			t.Errorf("%s became %s", in, got)
		}
	}
}
