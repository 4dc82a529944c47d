//go:build integration && unix

package guides_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Versions of linters that are Go programs.
const (
	actionlint = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.7"
	hclfmt     = "github.com/hashicorp/hcl/v2/cmd/hclfmt@v2.24.0"
)

func TestExamplesPassTheirLinters(t *testing.T) {
	dir := filepath.Join(source(t), "docs/examples")
	for _, c := range []struct{ name, line string }{
		{"actionlint", "go run " + actionlint + " github-actions.yml"},
		{"hclfmt", "go run " + hclfmt + " -check packer.pkr.hcl terraform.tf"},
		{"cloud-init", "cloud-init schema --config-file cloud-init.yaml"},
		{"ansible-lint", "ansible-lint --offline --nocolor ansible.yml"},
		{"shellcheck", "shellcheck user-data.sh host.sh region.sh"},
	} {
		t.Run(c.name, func(t *testing.T) {
			words := strings.Fields(c.line)
			if _, err := exec.LookPath(words[0]); err != nil {
				t.Skipf("%s is not installed", words[0])
			}
			cmd := exec.Command(words[0], words[1:]...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
			if words[0] == "go" {
				cmd.Env = append(cmd.Env, goEnvironment(t)...)
				cmd.Env = append(cmd.Env, "GOFLAGS=-modcacherw")
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", c.line, err, out)
			}
		})
	}
}

// The units are read by systemd itself, with a program that is there.
func TestTheUnitsOfTheExamplesAreReadBySystemd(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	dir := t.TempDir()
	for _, name := range []string{"ssm-regions.service", "ssm-regions.timer"} {
		text := strings.ReplaceAll(example(t, name), "/usr/local/bin/ssm-setup", "/bin/true")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("systemd-analyze", "verify", filepath.Join(dir, "ssm-regions.service"),
		filepath.Join(dir, "ssm-regions.timer")).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
