package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/updater"
)

// Missing credentials are one line, which says where they were looked for, and a hint with the file in which a region of this machine keeps
// its own. The SDK says nothing.
func TestMissingCredentialsAreOneLineThatNamesTheLocalRegionsFile(t *testing.T) {
	r := local.Start(t)
	home := t.TempDir()
	for name, value := range map[string]string{"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(home, "none"),
		"AWS_CONFIG_FILE": filepath.Join(home, "none"), "AWS_PROFILE": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": home,
		"XDG_CONFIG_HOME": filepath.Join(home, ".config"), "APPDATA": home, "SSM_SETUP_HOME": home} {
		t.Setenv(name, value)
	}
	settings, err := os.UserConfigDir()
	must(t, err)
	hint := "hint: for a region of ssm-setup local: export AWS_SHARED_CREDENTIALS_FILE=" +
		filepath.Join(settings, "ssm-setup", "local-local", "credentials")
	for _, args := range [][]string{{"nodes"}, {"mark", "--version", "9.1.0.0", "--status", "Inactive"}} {
		s := ssmSetup(append(args, "--quiet", "--region", "local", "--endpoint", r.URL())...)
		lines := strings.Split(strings.TrimSpace(s.out+s.err), "\n")
		if s.code != ExitPermission || len(lines) != 2 || !strings.HasPrefix(lines[0], "error: cannot ") ||
			!strings.HasSuffix(lines[0], ": no usable AWS credentials: there are none in the environment (AWS_ACCESS_KEY_ID), in the shared files,"+
				" and no role of this machine") || lines[1] != hint {
			t.Errorf("%s: %+v", args[0], s)
		}
	}
}

// The matrix of regions and versions is written as a page beside the answer, whole or not at all.
func TestThePageOfRegionsIsWritten(t *testing.T) {
	r := published(t)
	file := filepath.Join(t.TempDir(), "regions.html")
	regions := []string{"regions", "--region", r.Name(), "--endpoint", r.URL(), "--html"}
	s := ssmSetup(append(regions, file)...)
	page, err := os.ReadFile(file)
	if s.code != 0 || err != nil || !strings.Contains(string(page), "<html") || !strings.Contains(string(page), "9.1.0.0") ||
		!strings.Contains(string(page), r.Name()) {
		t.Errorf("%+v, %v\n%s", s, err, page)
	}
	s = ssmSetup(append(regions, filepath.Join(file, "below-a-file"))...)
	if s.code == 0 || !strings.Contains(s.err, "error: cannot write ") {
		t.Errorf("%+v", s)
	}
}

// The updater's log is shown by a flag, in the place of the agent's.
func TestTheLogOfUpdatesIsShown(t *testing.T) {
	l := installer.At(t.TempDir())
	must(t, os.MkdirAll(l.Logs(), 0o755))
	must(t, os.WriteFile(updater.LogFile(l), []byte("the updater's line\n"), 0o644))
	must(t, os.WriteFile(filepath.Join(l.Logs(), "amazon-ssm-agent.log"), []byte("the agent's line\n"), 0o644))
	for flag, want := range map[string]string{"--update": "the updater's line\n", "--quiet": "the agent's line\n"} {
		if s := ssmSetup("logs", flag, "--root", l.Root); s.code != 0 || s.out != want || s.err != "" {
			t.Errorf("%s: %+v", flag, s)
		}
	}
}

// A proxy that does not answer is said once for all regions. It is asked in a process of its own: Go reads the variable once.
func TestAProxyThatDoesNotAnswerIsSaidOnce(t *testing.T) {
	cmd := child("regions", "--quiet", "--source", "https://{Region}.name.invalid/ssm")
	cmd.Env = append(cmd.Env, "HTTPS_PROXY=http://127.0.0.1:1", "NO_PROXY=")
	s := finish(t, cmd)
	if s.code != exitRegion || !strings.Contains(s.err, "error: cannot read any of 39 regions: the proxy does not answer\n") ||
		!strings.Contains(s.err, "hint: check the proxy in HTTPS_PROXY, and NO_PROXY\n") || strings.Contains(s.err, "dial tcp") {
		t.Errorf("%+v", s)
	}
}

// What the program keeps to itself is in no help, no page and no completion: flags that only tests use work, and are not shown.
func TestFlagsForTestsAreHidden(t *testing.T) {
	app := newApp(terminal.New(strings.NewReader(""), os.Stdout, os.Stderr))
	hidden := 0
	for _, c := range app.Commands {
		for _, f := range c.Flags {
			if seen, ok := f.(interface{ IsVisible() bool }); !ok || seen.IsVisible() {
				continue
			}
			hidden++
			for _, args := range [][]string{{"help", c.Name}, {"man"}, {"completion", "bash"}, {"completion", "fish"}} {
				if s := ssmSetup(args...); s.code != 0 || strings.Contains(s.out, f.Names()[0]) {
					t.Errorf("%v shows --%s of %s", args, f.Names()[0], c.Name)
				}
			}
		}
	}
	if hidden == 0 {
		t.Error("no flag is hidden")
	}
}
