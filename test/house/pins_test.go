package house_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/build"
)

// One release of Go compiles what is packed, whichever program packs it: `ssm-setup build` names it, the others read or repeat it.
func TestOneReleaseOfGoMakesThePackages(t *testing.T) {
	for name, want := range map[string]string{".goreleaser.yaml": "GOTOOLCHAIN=" + build.Toolchain + ",",
		"scripts/compile.sh": `GOTOOLCHAIN="${toolchain:?}"`,
		"scripts/Dockerfile": "FROM golang:" + strings.TrimPrefix(build.Toolchain, "go") + "-"} {
		if !strings.Contains(readFile(t, name), want) {
			t.Errorf("%s does not have %q", name, want)
		}
	}
	for name, command := range map[string]string{
		"scripts/compile.sh": `sed -n 's/^const Toolchain = "\(.*\)"$/\1/p' installer/build/compile.go`,
		"Makefile":           `sed -n 's/^const Toolchain = "\(.*\)"$$/\1/p' installer/build/compile.go`,
	} {
		if !strings.Contains(readFile(t, name), command) {
			t.Errorf("%s reads the pin another way", name)
		}
		cmd := exec.Command("sh", "-c", strings.ReplaceAll(command, "$$", "$"))
		cmd.Dir = root(t)
		if out, err := cmd.Output(); err != nil || strings.TrimSpace(string(out)) != build.Toolchain {
			t.Errorf("%s finds %q, not %s: %v", name, out, build.Toolchain, err)
		}
	}
}

// What CI and tests fetch is named by a version, or by a hash; nothing that is fetched runs a script of its own at its installation.
func TestToolsAreFetchedByVersionOrHash(t *testing.T) {
	cmd := exec.Command("git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	moving := regexp.MustCompile(`go (?:run|install) [^\n]*@(?:latest|master|main)\b|^FROM [^\n@]+:[^\n@]+$`)
	npm := regexp.MustCompile(`"npm", "(install|i|ci|exec|x)"([^\n]*)|\bnpm (install|i|ci)\b([^\n]*)|\bnpx\b`)
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		switch ext := filepath.Ext(name); {
		case name == "Makefile", name == "scripts/Dockerfile", strings.HasPrefix(name, ".ci/"), ext == ".sh", ext == ".yaml", ext == ".yml",
			ext == ".go":
		default:
			continue
		}
		if name == "test/house/pins_test.go" {
			continue
		}
		for line := range strings.Lines(readFile(t, name)) {
			if moving.MatchString(strings.TrimSpace(line)) {
				t.Errorf("%s fetches what may be another one tomorrow: %s", name, line)
			}
			if m := npm.FindStringSubmatch(line); m != nil && (m[1]+m[3] != "ci" || !strings.Contains(m[2]+m[4], "--ignore-scripts")) {
				t.Errorf("%s: npm is to take its lock file and run no scripts (npm ci --ignore-scripts): %s", name, line)
			}
		}
	}
	for entry := range strings.SplitSeq(readFile(t, "installer/pack/testdata/readers/package-lock.json"), `"node_modules/`) {
		if strings.Contains(entry, `"version":`) && !strings.Contains(entry, `"integrity": "sha512-`) {
			t.Errorf("without a hash: %.80s", entry)
		}
	}
}
