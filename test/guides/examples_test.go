package guides_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// What cannot be run here: runners of GitHub and GitLab, Packer (its plugins come from a registry that is not reachable; Debian's 1.6
// does not know required_plugins), Terraform (in no package source that is), container builders, hadolint. Those files are read by real
// parsers (HCL by hclfmt), and their shell parts run against a local region (examples_run_integration_test.go), with actionlint,
// cloud-init, ansible-lint, shellcheck and systemd-analyze beside.

// examples are all files of docs/examples: the name, and how its text is looked at.
var examples = map[string]func(t *testing.T, name, text string){
	"github-actions.yml":  isYAML,
	"gitlab-ci.yml":       isYAML,
	"cloud-init.yaml":     isYAML,
	"ansible.yml":         isYAML,
	"compose.yaml":        isYAML,
	"packer.pkr.hcl":      isHCL,
	"terraform.tf":        isHCL,
	"user-data.sh":        isShell,
	"host.sh":             isShell,
	"region.sh":           isShell,
	"Dockerfile":          isDockerfile,
	"ssm-regions.service": isUnit,
	"ssm-regions.timer":   isUnit,
}

func example(t *testing.T, name string) string {
	t.Helper()
	return page(t, "docs/examples/"+name)
}

func TestEveryExampleIsReadByARealParser(t *testing.T) {
	files, err := os.ReadDir(filepath.Join(source(t), "docs/examples"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		look, ok := examples[f.Name()]
		if !ok {
			t.Errorf("docs/examples/%s is not looked at", f.Name())
			continue
		}
		text := example(t, f.Name())
		look(t, f.Name(), text)
		if !strings.Contains(page(t, "docs/ci.md"), "examples/"+f.Name()) && !slices.Contains([]string{"host.sh", "region.sh"}, f.Name()) {
			t.Errorf("docs/ci.md does not name %s", f.Name())
		}
	}
	if len(files) != len(examples) {
		t.Errorf("%d examples, %d are looked at", len(files), len(examples))
	}
}

// isYAML also checks every line for a shell in the file.
func isYAML(t *testing.T, name, text string) {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	known := reference(t)
	for _, s := range scalars(&root) {
		if strings.Contains(s, "ssm-setup ") && !strings.HasPrefix(s, "http") && !strings.Contains(s, "FROM ") {
			checkShell(t, name, strings.ReplaceAll(s, "bin/ssm-setup ", "ssm-setup "), known)
		}
	}
}

// scalars are all texts of a document.
func scalars(n *yaml.Node) (texts []string) {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	for _, below := range n.Content {
		texts = append(texts, scalars(below)...)
	}
	return texts
}

// isHCL: the parser itself is asked in examples_integration_test.go (hclfmt); here, that the files taken in are there.
func isHCL(t *testing.T, name, text string) {
	t.Helper()
	if strings.Count(text, "{") != strings.Count(text, "}") {
		t.Errorf("%s: braces do not match", name)
	}
	for _, m := range regexp.MustCompile(`file\("\$\{path\.module\}/([^"]+)"\)`).FindAllStringSubmatch(text, -1) {
		example(t, m[1]) // the file that it takes in is there
	}
}

func isShell(t *testing.T, name, text string) {
	t.Helper()
	if !strings.HasPrefix(text, "#!/bin/sh\n") {
		t.Errorf("%s is not for sh", name)
	}
	checkShell(t, name, text, reference(t))
}

// isDockerfile knows the instructions that are used, and that what is copied exists or is made by `make here`.
func isDockerfile(t *testing.T, name, text string) {
	t.Helper()
	text = regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(strings.ReplaceAll(text, "\\\n", " "), "")
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "COPY":
			words := strings.Fields(rest)
			for _, path := range words[:len(words)-1] {
				if _, err := os.Stat(filepath.Join(source(t), path)); err != nil && path != "bin/ssm-setup" {
					t.Errorf("%s: %v", name, err)
				}
			}
		case "RUN":
			checkShell(t, name, rest, reference(t))
		case "ARG", "FROM", "VOLUME", "STOPSIGNAL", "CMD", "":
		default:
			t.Errorf("%s: %s is no instruction that this test knows", name, word)
		}
	}
}

// isUnit knows sections and keys of units.
func isUnit(t *testing.T, name, text string) {
	t.Helper()
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch key, value, ok := strings.Cut(line, "="); {
		case line == "", strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			section = line
		case !ok || section == "":
			t.Errorf("%s: %s", name, line)
		case key == "ExecStart":
			checkShell(t, name, value, reference(t))
		}
	}
}
