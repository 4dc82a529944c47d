package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// targets are those of the original's build that people's scripts call.
const targets = `build build-release release package pre-build checkstyle quick-integtest quick-test coverage build-linux build-windows
build-darwin build-linux-386 build-windows-386 build-arm build-arm64 package-rpm package-deb package-win package-rpm-386 package-deb-386
package-win-386 package-rpm-arm64 package-deb-arm package-deb-arm64 package-linux package-windows package-darwin get-tools clean build-darwin-386`

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMakefileHasTheOriginalsTargets(t *testing.T) {
	text := readFile(t, "Makefile")
	_, phony, _ := strings.Cut(text, ".PHONY:")
	phony, _, _ = strings.Cut(phony, "\n\n")
	for _, target := range strings.Fields(targets) {
		if !strings.Contains(text, "\n"+target+":") {
			t.Errorf("there is no target %s", target)
		}
		if !regexp.MustCompile(`\s` + regexp.QuoteMeta(target) + `\s`).MatchString(phony + " ") {
			t.Errorf("%s is not phony", target)
		}
	}
	first := regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`).FindStringSubmatch(text)
	if first == nil || first[1] != "build" {
		t.Errorf("the default target is %v", first)
	}
}

// The release files are not run here; this much of them is checked.
func TestReleaseFiles(t *testing.T) {
	for name, wants := range map[string][]string{
		".goreleaser.yaml":   {"ssm-setup build --version {{ .Major }}.{{ .Minor }}.{{ .Patch }}.0", "glob: ./build/release/*/*", "extra_files:"},
		"scripts/Dockerfile": {"FROM golang:", "COPY . .", "bin/ssm-setup build --version", "FROM scratch", "COPY --from=build"},
		"scripts/snapcraft.yaml": {"name: amazon-ssm-agent", "base: core22", "confinement: classic", "grade: stable", "daemon: simple",
			"restart-condition: always", "stop-timeout: 60s", "stop-mode: sigterm", "plugin: nil", "no-patchelf"},
	} {
		text := readFile(t, name)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
}
