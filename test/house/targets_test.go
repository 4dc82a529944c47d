package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/build"
)

// ownTargets are ours, beside the original's.
const ownTargets = `here help test test-wine-long demo check fmt lint bench attack simulation detection-long soak-long
power-long figures-long crash crash-long model-long`

// targets are those of the original's build that people's scripts call; the last one only says why it is none.
const targets = `build build-release release package pre-build checkstyle quick-integtest quick-test coverage build-linux build-windows
build-darwin build-linux-386 build-windows-386 build-arm build-arm64 package-rpm package-deb package-win package-rpm-386 package-deb-386
package-win-386 package-rpm-arm64 package-deb-arm package-deb-arm64 package-linux package-windows package-darwin
get-tools clean build-darwin-386`

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Exactly these targets, all of them phony. Plain make builds nothing: it lists them.
func TestTheMakefileHasTheOriginalsTargets(t *testing.T) {
	text := strings.ReplaceAll(readFile(t, "Makefile"), "\\\n", " ")
	phony := regexp.MustCompile(`(?m)^\.PHONY:(.*)$`).FindAllStringSubmatch(text, -1)
	if len(phony) != 1 {
		t.Fatalf("%d lines say what is phony", len(phony))
	}
	var made []string
	for _, m := range regexp.MustCompile(`(?m)^([^\s:#=.][^\s:=]*):([^=]|$)`).FindAllStringSubmatch(text, -1) {
		made = append(made, m[1])
	}
	if len(made) == 0 || made[0] != "help" {
		t.Errorf("the default target is the first of %v", made)
	}
	want := strings.Fields(ownTargets + " " + targets)
	slices.Sort(want)
	for what, have := range map[string][]string{"targets": made, "phony targets": strings.Fields(phony[0][1])} {
		have = slices.Clone(have)
		slices.Sort(have)
		if !slices.Equal(have, want) {
			t.Errorf("%s are\n%v, want\n%v", what, have, want)
		}
	}
	rule := regexp.MustCompile(`(?s)\nbuild-darwin-386:[^\n]*\n(\t[^\n]*\n)(.)`).FindStringSubmatch(text)
	if rule == nil || rule[2] == "\t" || !regexp.MustCompile(`^\t@echo "[^"]+" >&2; exit 1\n$`).MatchString(rule[1]) {
		t.Errorf("build-darwin-386 does not answer with one line and a failure: %q", rule)
	}
}

// instructions are the lines of a Dockerfile: a word and the rest.
func instructions(text string) (list [][2]string) {
	text = regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(text, "")
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		if word, rest, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			list = append(list, [2]string{word, strings.TrimSpace(rest)})
		}
	}
	return list
}

// No container is built here (the file says so): its stages are pinned, what it copies is there, what it runs exists.
func TestTheDockerfileCopiesAndRunsWhatExists(t *testing.T) {
	text := readFile(t, "scripts/Dockerfile")
	if !strings.Contains(text, "Its structure is checked by a test; no container builder runs") {
		t.Error("it does not say how far it is checked")
	}
	makefile, verb := readFile(t, "Makefile"), readFile(t, "cmd/ssm-setup/releases/cmd_build.go")
	stages, args := map[string]bool{}, map[string]bool{}
	for _, i := range instructions(text) {
		switch word, rest := i[0], i[1]; word {
		case "FROM":
			image, stage, _ := strings.Cut(rest, " AS ")
			want := "golang:" + strings.TrimPrefix(build.Toolchain, "go") + "-bookworm@${GO_IMAGE}" // by digest, which has no default
			if first := len(stages) == 0; first && image != want || !first && image != "scratch" {
				t.Errorf("FROM %s; the first is to be %s, the last scratch", rest, want)
			}
			stages[stage] = true
		case "COPY":
			words := strings.Fields(rest)
			if from, ok := strings.CutPrefix(words[0], "--from="); ok {
				if !stages[from] {
					t.Errorf("there is no stage %s", from)
				}
				continue
			}
			for _, path := range words[:len(words)-1] {
				if _, err := os.Stat(filepath.Join(root(t), path)); err != nil {
					t.Error(err)
				}
			}
		case "ARG":
			name, _, valued := strings.Cut(rest, "=")
			if args[name] = true; name == "GO_IMAGE" && valued {
				t.Errorf("the image's digest has a default: %s", rest)
			}
		case "RUN":
			for command := range strings.SplitSeq(rest, "&&") {
				known(t, strings.Fields(command), makefile, verb)
			}
		case "WORKDIR", "ENV":
		default:
			t.Errorf("%s is no instruction that this test knows", word)
		}
		for _, m := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(i[1], -1) {
			if !args[m[1]] {
				t.Errorf("%s has no value in %s %s", m[1], i[0], i[1])
			}
		}
	}
}

// known fails for a command of the Dockerfile that cannot work.
func known(t *testing.T, words []string, makefile, verb string) {
	t.Helper()
	switch words[0] {
	case "make":
		if !strings.Contains(makefile, "\n"+words[1]+":") {
			t.Errorf("make has no target %s", words[1])
		}
	case "bin/ssm-setup":
		for _, flag := range words[2:] {
			if name, ok := strings.CutPrefix(flag, "--"); words[1] != "build" || ok && !strings.Contains(verb, `Name: "`+name+`"`) {
				t.Errorf("ssm-setup %s has no %s", words[1], flag)
			}
		}
	case "apt-get", "rm", "go":
	default:
		t.Errorf("there is no command %s here", words[0])
	}
}

// The other release files are not run here; this much of them is checked.
func TestReleaseFilesSayWhatIsBuilt(t *testing.T) {
	for name, wants := range map[string][]string{
		".goreleaser.yaml": {"ssm-setup build --version {{ .Major }}.{{ .Minor }}.{{ .Patch }}.0", "glob: ./build/release/*/*", "extra_files:"},
	} {
		text := readFile(t, name)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
}
