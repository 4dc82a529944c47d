//go:build integration

package manual_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// completed has a shell complete a command line and returns its proposals, sorted. The folder it works in has a file and a folder.
var completed = map[string]func(t *testing.T, script, line string) []string{
	"bash": func(t *testing.T, script, line string) []string {
		return ask(t, "", "bash", "--norc", "-c", `source "$1"; line=$2
read -r -a COMP_WORDS <<<"$line"; [[ $line == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); complete -p ssm-setup >/dev/null || exit 1
_ssm_setup; printf '%s\n' "${COMPREPLY[@]}"`, "bash", script, line)
	},
	"fish": func(t *testing.T, script, line string) []string {
		return ask(t, "", "fish", "--no-config", "-c", `source $argv[1]; complete -C $argv[2] | string split -f1 \t`, script, line)
	},
	"zsh": func(t *testing.T, script, line string) []string {
		return ask(t, zshSession, "zsh", "-f", "-s", script, line)
	},
}

// zshSession types a line and a tab into a zsh of its own, and prints what it proposes: completion needs its line editor.
const zshSession = `
zmodload zsh/zpty
zpty session zsh -f -i
say() { zpty -w session "$1" }
say 'PROMPT=; unset zle_bracketed_paste; TERM=dumb; autoload -U compinit; compinit -D -u'
say "source ${(q)1}"
say 'bindkey "^I" complete-word; zstyle ":completion:*" insert-tab false; setopt no_beep'
say 'compadd() {
  builtin compadd "$@"; local code=$?
  [[ " ${@[1,(i)(-|--)]} " == *" -"[OAD]" "* ]] && return code
  local -a found; builtin compadd -A found "$@"; local word
  for word in $found; do print -r -- "<proposed>$word"; done >>|proposals
  return code }'
say 'comppostfuncs=(ended); ended() { print "<ended>" >>|proposals }'
zpty -w -n session "$2"$'\t'
for i in {1..600}; do
  [[ -e proposals ]] && grep -q "<ended>" proposals && break
  zpty -r -t session >/dev/null; sleep 0.1
done
zpty -d session
grep -o '<proposed>.*' proposals | sed 's/<proposed>//'
rm -f proposals
`

// ask runs a program in a folder with a file and a folder, and returns the words that it prints, sorted and each once.
func ask(t *testing.T, in, name string, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin, cmd.Dir = strings.NewReader(in), t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir, "ZDOTDIR="+cmd.Dir)
	for path, make := range map[string]func(string) error{"a-file": func(p string) error { return os.WriteFile(p, nil, 0o600) },
		"b-folder": func(p string) error { return os.Mkdir(p, 0o700) }} {
		if err := make(filepath.Join(cmd.Dir, path)); err != nil {
			t.Fatal(err)
		}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Logf("%s: %v", name, err)
	}
	words := strings.Fields(string(out))
	slices.Sort(words)
	return slices.Compact(words)
}

func TestRealShellsCompleteFromTheScripts(t *testing.T) {
	for shell, complete := range completed {
		t.Run(shell, func(t *testing.T) {
			text, ok := program().Completion(shell)
			if !ok {
				t.Fatal("there is no script")
			}
			script := filepath.Join(t.TempDir(), "script")
			if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for line, want := range map[string]string{
				"ssm-setup ":                             "completion install verify",
				"ssm-setup in":                           "install",
				"ssm-setup install --re":                 "--region",
				"ssm-setup install --wait 1s --ro":       "--root",
				"ssm-setup install --region eu":          "eu-west-1 eu-west-2",
				"ssm-setup install --root ":              "b-folder",
				"ssm-setup install --code-file a":        "a-file",
				"ssm-setup verify --key k --j":           "--json",
				"ssm-setup verify a":                     "a-file",
				"ssm-setup completion f":                 "fish",
				"ssm-setup install --region local --wai": "--wait",
			} {
				got := strings.ReplaceAll(strings.Join(complete(t, script, line), " "), "/", "")
				if line == "ssm-setup " {
					got = strings.TrimPrefix(got, "--help --json -h ") // bash proposes the common flags as well
				}
				if strings.TrimSuffix(got, "=") != want {
					t.Errorf("%q: %q, want %q", line, got, want)
				}
			}
		})
	}
}

func TestNoTextOfAFlagIsObeyedByAShell(t *testing.T) {
	for shell, arguments := range map[string][]string{"bash": {"-n"}, "zsh": {"-n"}, "fish": {"--no-execute"}} {
		text, _ := program().Completion(shell)
		dir := t.TempDir()
		path := filepath.Join(dir, "script")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), shell, append(arguments, path)...).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s cannot read its script: %v\n%s", shell, err, out)
		}
		cmd := exec.CommandContext(t.Context(), shell, "-c", "source ./script")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
		if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
			t.Errorf("%s ran what a text says", shell)
		}
	}
}

func TestManReadsThePage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ssm-setup.1")
	if err := os.WriteFile(path, []byte(program().Page()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mandoc", "-Tlint", "-Wwarning", path).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("mandoc finds fault: %v\n%s", err, out)
	}
	for _, reader := range [][]string{{"mandoc", "-Tutf8"}, {"groff", "-man", "-Tutf8", "-ww"}} {
		cmd := exec.CommandContext(t.Context(), reader[0], append(reader[1:], path)...)
		var faults strings.Builder
		cmd.Stderr = &faults
		out, err := cmd.Output()
		text := strings.ReplaceAll(plain(string(out)), "\u2010", "-")
		if err != nil || faults.Len() > 0 {
			t.Errorf("%v: %v\n%s", reader, err, &faults)
		}
		for _, want := range []string{`.the first word begins with a dot and it's a \backslash. One`, "--region REGION",
			"ssm-setup install --region eu-west-1  # it's so", "EXIT STATUS"} {
			if !strings.Contains(text, want) {
				t.Errorf("%v shows no %q:\n%s", reader, want, text)
			}
		}
	}
}

// plain takes away how man prints bold: a letter, a backspace, the letter again, or an escape sequence.
func plain(text string) string {
	var b strings.Builder
	letters := []rune(text)
	for i := 0; i < len(letters); i++ {
		switch {
		case letters[i] == '\x1b':
			for i < len(letters) && letters[i] != 'm' {
				i++
			}
		case i+1 < len(letters) && letters[i+1] == '\b':
			i++
		default:
			b.WriteRune(letters[i])
		}
	}
	return b.String()
}
