//go:build integration

package manual_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The scripts of the real program complete its whole table in real shells: every subcommand, and every flag of each. The table is that of
// docs/commands.md, which is made from it.
func TestRealShellsCompleteTheWholeTable(t *testing.T) {
	tool, table := realTable(t)
	names := []string{}
	for name := range table {
		names = append(names, name)
	}
	slices.Sort(names)
	for shell, complete := range completed {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			script := writeScript(t, tool, shell)
			got := complete(t, script, "ssm-setup ")
			for _, name := range names {
				if !slices.Contains(got, name) {
					t.Errorf("no subcommand %s in %q", name, got)
				}
			}
			for _, name := range names {
				got := complete(t, script, "ssm-setup "+name+" --")
				for i := range got {
					got[i] = strings.TrimSuffix(got[i], "=")
				}
				for _, flag := range append(table[name], "--json", "--quiet", "--verbose", "--help") {
					if !slices.Contains(got, flag) {
						t.Errorf("%s: no %s in %q", name, flag, got)
					}
				}
				for _, flag := range got {
					if !slices.Contains(append(table[name], "--json", "--quiet", "--verbose", "--help"), flag) {
						t.Errorf("%s has no %s", name, flag)
					}
				}
			}
		})
	}
}

// No PowerShell is at hand: what can be said of its script is that it names the whole table, that quotes, brackets and braces are closed in
// order, and that no key of a table stands there twice, which PowerShell refuses.
func TestTheScriptForPowerShellIsWellFormed(t *testing.T) {
	tool, table := realTable(t)
	text, err := os.ReadFile(writeScript(t, tool, "powershell"))
	if err != nil {
		t.Fatal(err)
	}
	open, quoted := []rune{}, rune(0)
	for _, r := range string(text) {
		switch {
		case quoted != 0:
			if r == quoted {
				quoted = 0
			}
		case r == '\'' || r == '"':
			quoted = r
		case strings.ContainsRune("({[", r):
			open = append(open, r)
		case strings.ContainsRune(")}]", r):
			if len(open) == 0 || open[len(open)-1] != map[rune]rune{')': '(', '}': '{', ']': '['}[r] {
				t.Fatalf("%c closes nothing", r)
			}
			open = open[:len(open)-1]
		}
	}
	if quoted != 0 || len(open) > 0 {
		t.Errorf("not closed: %q %q", quoted, open)
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^        '([^']+)' = @\((.*)\)$`).FindAllStringSubmatch(string(text), -1) {
		key := strings.ToLower(m[1]) // keys of tables are compared so
		if seen[key] {
			t.Errorf("%s stands there twice", m[1])
		}
		seen[key] = true
		for _, flag := range table[m[1]] {
			if !strings.Contains(m[2], "'"+flag+"'") {
				t.Errorf("%s: no %s", m[1], flag)
			}
		}
	}
	for name := range table {
		if !seen[name] {
			t.Errorf("no subcommand %s", name)
		}
	}
}

// realTable builds the program, and reads its subcommands with the long names of their flags from the reference.
func realTable(t *testing.T) (tool string, table map[string][]string) {
	t.Helper()
	tool = filepath.Join(t.TempDir(), "ssm-setup")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", tool, "..").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	page, err := os.ReadFile("../../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	table, name := map[string][]string{}, ""
	row := regexp.MustCompile("^\\| `(-[^`]*)`")
	flag := regexp.MustCompile(`--[a-z][a-z0-9-]*`)
	for line := range strings.Lines(string(page)) {
		if title, ok := strings.CutPrefix(line, "### "); ok {
			name = strings.TrimSpace(title)
			table[name] = nil
		}
		if strings.HasPrefix(line, "## ") {
			name = ""
		}
		if m := row.FindStringSubmatch(line); m != nil && name != "" {
			table[name] = append(table[name], flag.FindAllString(m[1], -1)...)
		}
	}
	if len(table) < 20 {
		t.Fatalf("only %d subcommands", len(table))
	}
	return tool, table
}

// writeScript writes what the program says for a shell.
func writeScript(t *testing.T, tool, shell string) string {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), tool, "completion", shell).Output()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
