package guides_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// block is a fenced block of a page.
type block struct{ page, info, text string }

var fence = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")

// blocks are those of a page, in order.
func blocks(t *testing.T, name string) (list []block) {
	t.Helper()
	for _, m := range fence.FindAllStringSubmatch(page(t, name), -1) {
		list = append(list, block{name, strings.TrimSpace(m[1]), m[2]})
	}
	return list
}

// infos are what may stand behind the opening of a block. sh is run by a test (in docs/: its commands are checked), sh region runs until
// the end of the page, sh aws needs AWS, sh tests is run by CI. All others are not for a shell.
var infos = []string{"sh", "sh region", "sh tests", "sh aws", "text", "json", "yaml", "ini", "powershell"}

// guidePages are the pages with lines for people to type.
func guidePages(t *testing.T) []string {
	t.Helper()
	names := []string{"README.md"}
	found, err := filepath.Glob(filepath.Join(source(t), "docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		switch name := filepath.Base(path); name {
		case "architecture.md", "glossary.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md":
		default:
			names = append(names, "docs/"+name)
		}
	}
	return names
}

func TestEveryShellBlockOfTheGuidesNamesCommandsAndFlagsThatExist(t *testing.T) {
	known := reference(t)
	for _, name := range guidePages(t) {
		for _, b := range blocks(t, name) {
			if !slices.Contains(infos, b.info) {
				t.Errorf("%s: a block is called %q", name, b.info)
			}
			if strings.HasPrefix(b.info, "sh") {
				checkShell(t, name, b.text, known)
			}
		}
	}
}

// A test that ran it would run itself.
func TestCIRunsTheCommandForTestsThatTheReadmeShows(t *testing.T) {
	for _, b := range blocks(t, "README.md") {
		if b.info == "sh tests" {
			command := strings.TrimSpace(comment.ReplaceAllString(b.text, ""))
			if !strings.Contains(page(t, ".ci/run"), " "+command+" TAGS=integration,boot\n") {
				t.Errorf(".ci/run does not run %q", command)
			}
			return
		}
	}
	t.Error("the README shows no command for tests")
}

// checkShell fails for a text that no shell reads, and for subcommands and flags of ssm-setup that the reference does not have.
func checkShell(t *testing.T, where, text string, known map[string][]string) {
	t.Helper()
	parse := exec.Command("bash", "-n")
	parse.Stdin = strings.NewReader(text)
	if out, err := parse.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s%s", where, err, out, text)
	}
	for _, line := range commandLines(text) {
		words := strings.Fields(line)
		i := 0
		for i < len(words) && strings.HasPrefix(words[i], "--") && words[i] != "--version" {
			i++ // flags of the program itself
		}
		if i == len(words) || words[i] == "--version" || words[i] == "help" {
			continue
		}
		flags, ok := known[words[i]]
		if !ok {
			t.Errorf("%s: ssm-setup has no subcommand %s\n%s", where, words[i], line)
			continue
		}
		for _, w := range words[i+1:] {
			flag, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimRight(w, "}"), "${"), "=")
			if _, given, set := strings.Cut(flag, ":+"); set {
				flag = given
			}
			if strings.HasPrefix(flag, "-") && flag != "-" && !slices.Contains(flags, flag) {
				t.Errorf("%s: ssm-setup %s has no flag %s\n%s", where, words[i], flag, line)
			}
		}
	}
}

var (
	comment     = regexp.MustCompile(`(?m)(^|\s)#.*$`)
	called      = regexp.MustCompile(`(?:^|[\s;|&(/"])ssm-setup(?:\.exe)?(?: |$)([^|;&<>)]*)`)
	quoted      = regexp.MustCompile(`"[^"]*"|'[^']*'`)
	documenting = regexp.MustCompile("(?m)^\\| `(--?[^`]*)` \\|")
)

// commandLines are the arguments of every call of ssm-setup in a shell text.
func commandLines(text string) (lines []string) {
	text = comment.ReplaceAllString(strings.ReplaceAll(text, "\\\n", " "), "")
	for line := range strings.Lines(text) {
		line = quoted.ReplaceAllString(strings.TrimRight(line, "\n"), "QUOTED")
		if strings.Contains(line, "/ssm-setup:") {
			continue // the name of an image, not a call
		}
		for _, m := range called.FindAllStringSubmatch(line, -1) {
			if rest := strings.TrimSpace(m[1]); rest != "" && regexp.MustCompile(`^(--?[a-z]|[a-z-]+( |$))`).MatchString(rest) {
				lines = append(lines, rest)
			}
		}
	}
	return lines
}

// reference is docs/commands.md: subcommands with their flags.
func reference(t *testing.T) map[string][]string {
	t.Helper()
	known := map[string][]string{}
	for _, section := range strings.Split(page(t, "docs/commands.md"), "\n### ")[1:] {
		name, text, _ := strings.Cut(section, "\n")
		name, _, _ = strings.Cut(name, " ")
		known[name] = append(known[name], "--help", "-h", "--json", "--quiet", "-q", "--verbose")
		for _, m := range documenting.FindAllStringSubmatch(text, -1) {
			for _, flag := range strings.Split(m[1], ", ") {
				flag, _, _ = strings.Cut(flag, " ")
				known[name] = append(known[name], flag)
			}
		}
	}
	return known
}
