package manual_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/manual"
)

// program is a small one with every kind of flag and argument, and with texts that shells and man would obey.
func program() manual.Program {
	return manual.Program{
		Name: "ssm-setup", Summary: "from nothing to an agent", Version: "9.1.0.0", Date: "2025-11-30",
		Common: []manual.Flag{{Names: []string{"json"}, Usage: "print JSON"}, {Names: []string{"help", "h"}, Usage: "show this"}},
		Codes:  []manual.Code{{0, "done"}, {2, "bad flag"}},
		Commands: []manual.Command{
			{Name: "install", Summary: "install the agent", Group: "on a machine",
				About:    ".the first word begins with a dot and it's a \\backslash.\nOne paragraph.\n\nAnother one.",
				Examples: []string{"ssm-setup install --region eu-west-1  # it's so"},
				Flags: []manual.Flag{
					{Names: []string{"region"}, Value: "REGION", Usage: "the machine's [region]: $(touch pwned) `touch pwned` \"x\"", Needed: true,
						Words: []string{"eu-west-1", "eu-west-2", "local"}},
					{Names: []string{"root"}, Value: "DIR", Usage: "a folder"},
					{Names: []string{"code-file"}, Value: "FILE", Usage: "a file"},
					{Names: []string{"wait"}, Value: "DURATION", Usage: "how long", Default: "1m0s"},
				}},
			{Name: "verify", Summary: "who signed: and what", Group: "releases", Arguments: "FILE…", Examples: []string{"ssm-setup verify x.deb"},
				Flags: []manual.Flag{{Names: []string{"key"}, Value: "FILE", Usage: "a key", Many: true}}},
			{Name: "completion", Summary: "print completion", Group: "this program", Arguments: "SHELL", Words: manual.Shells(),
				Examples: []string{"ssm-setup completion bash"}},
		},
	}
}

func TestHelpFitsATerminalOfAnyWidth(t *testing.T) {
	p := program()
	install, _ := p.Find("install")
	for _, width := range []int{40, 80, 200} {
		for name, text := range map[string]string{"program": p.Help(width), "install": p.HelpOf(install, width)} {
			for line := range strings.Lines(text) {
				if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > max(40, min(width, 100)) && !strings.Contains(line, "# it's so") {
					t.Errorf("%s at %d columns has a line of %d: %q", name, width, n, line)
				}
			}
		}
	}
	text := p.HelpOf(install, 80)
	for _, want := range []string{"usage: ssm-setup install --region REGION [FLAG…]", "\n\nAnother one.\n", "examples:\n  ssm-setup install",
		"(needed)", "(default: 1m0s)", "--help, -h"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if text := p.Help(80); !strings.Contains(text, "\non a machine:\n  install ") || !strings.Contains(text, "\nreleases:\n  verify ") {
		t.Errorf("no groups in\n%s", text)
	}
}

func TestTheReferenceHasEverySubcommandAndFlag(t *testing.T) {
	text := program().Reference()
	for _, want := range []string{"### install\n\n`ssm-setup install --region REGION [FLAG…]`\n",
		"| `--wait DURATION` | how long (default: 1m0s) |",
		"| 2 | bad flag |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
