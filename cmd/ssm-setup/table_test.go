package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/manual"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
)

// reads are the subcommands that change nothing but what they are asked to print, or a folder of their own that they take away again.
// All others have --dry-run.
var reads = []string{"status", "versions", "logs", "regions", "nodes", "verify", "local", "console", "demo", "config", "version", "why",
	"completion", "man", "help"}

// takesAway are those that ask a person before they do it.
var takesAway = []string{"uninstall", "register", "rollback", "publish", "mark", "trust"}

func table(t *testing.T) manual.Program {
	t.Helper()
	return aboutProgram(newApp(terminal.New(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{})))
}

// Every subcommand is walked: help with a group and examples, --json, --quiet and --verbose, a dry run where it writes, a question where it
// takes something away, and exit code 2 with a hint for a flag that it does not have, as text and as JSON.
func TestEverySubcommandHasWhatPeopleExpect(t *testing.T) {
	p := table(t)
	for _, c := range p.Commands {
		t.Run(c.Name, func(t *testing.T) {
			has := func(flag string) bool {
				return slices.ContainsFunc(c.Flags, func(f manual.Flag) bool { return slices.Contains(f.Names, flag) })
			}
			s := ssmSetup("help", c.Name)
			if s.code != 0 || s.err != "" || c.Group == "" || !strings.Contains(s.out, "\nexamples:\n  ") {
				t.Errorf("help: %+v", s)
			}
			if again := ssmSetup(c.Name, "--help"); c.Name != "help" && strings.TrimSpace(again.out) != strings.TrimSpace(s.out) {
				t.Errorf("%s --help says other things than help %[1]s:\n%s", c.Name, again.out)
			}
			for _, flag := range []string{"--json", "--quiet", "--verbose"} {
				if !strings.Contains(s.out, "\n  "+flag) {
					t.Errorf("no %s", flag)
				}
			}
			if writes := !slices.Contains(reads, c.Name); writes && !has("dry-run") {
				t.Error("it writes, and has no --dry-run")
			}
			if _, err := os.Stat("../../docs/schema/" + c.Name + ".json"); err != nil {
				t.Errorf("its --json has no schema: %v", err)
			}
			if slices.Contains(takesAway, c.Name) && !has("yes") {
				t.Error("it takes something away, and has no --yes")
			}
			for _, f := range c.Flags {
				if f.Usage == "" {
					t.Errorf("--%s says nothing", f.Names[0])
				}
			}
			if s := ssmSetup(c.Name, "--quiet", "--no-such-flag"); s.code != exitUsage || s.out != "" ||
				!strings.HasPrefix(s.err, "error: cannot understand the command line: there is no flag --no-such-flag\nhint: ") {
				t.Errorf("unknown flag: %+v", s)
			}
			var fault struct {
				Error, Hint string
				Exit        int
			}
			if s := ssmSetup("--json", c.Name, "--no-such-flag"); json.Unmarshal([]byte(s.err), &fault) != nil || fault.Exit != s.code ||
				s.code != exitUsage {
				t.Errorf("unknown flag as JSON: %+v", s)
			}
		})
	}
}

// Examples are command lines that are understood: each names a subcommand there is, with flags that it has.
func TestEveryExampleNamesFlagsThatThereAre(t *testing.T) {
	p := table(t)
	line := regexp.MustCompile(`ssm-setup ([a-z-]+)([^|>)#]*)`)
	for name, lines := range examples {
		if _, ok := p.Find(name); !ok {
			t.Errorf("there are examples of %s, and no such subcommand", name)
		}
		for _, text := range lines {
			for _, m := range line.FindAllStringSubmatch(text, -1) {
				c, ok := p.Find(m[1])
				if !ok {
					continue // a program's name, such as that of a file
				}
				for _, word := range strings.Fields(m[2]) {
					flag, long := strings.CutPrefix(word, "--")
					if long && !slices.ContainsFunc(append(c.Flags, p.Common...), func(f manual.Flag) bool { return slices.Contains(f.Names, flag) }) {
						t.Errorf("%s: %q has no --%s", name, text, flag)
					}
				}
			}
		}
	}
}

// Amazon's own bucket of a region takes no release of ours and has none: where one is meant, an example names another place.
func TestExamplesThatMeanAReleaseOfOursSayWhereItLies(t *testing.T) {
	for _, name := range []string{"publish", "promote", "mark", "self-update"} {
		for _, text := range examples[name] {
			if strings.Contains(text, "--region ") && !strings.Contains(text, "--source s3://") && !strings.Contains(text, "--to s3://") {
				t.Errorf("%s: %q names no place", name, text)
			}
		}
	}
}

func TestASlipIsAnsweredWithWhatWasMeant(t *testing.T) {
	for line, want := range map[string]string{
		"statsu":                 "did you mean ssm-setup status?",
		"udpate":                 "did you mean ssm-setup update?",
		"status --rot x":         "did you mean --root?",
		"update --versionn 9.2":  "did you mean --version?",
		"update version 9.2.0.0": "did you mean --version?",
		"uninstall /tmp/host":    "did you mean --root /tmp/host?",
		"completion bsh":         "did you mean bash?",
		"help instal":            "did you mean ssm-setup install?",
		"quite-another":          "ssm-setup help shows the subcommands",
	} {
		if s := ssmSetup(strings.Fields(line)...); s.code != exitUsage || !strings.Contains(s.err, "\nhint: "+want+"\n") {
			t.Errorf("%s: %+v", line, s)
		}
	}
}

func TestFlagsMayStandBehindArguments(t *testing.T) {
	app := newApp(terminal.New(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}))
	for line, want := range map[string]string{
		"ssm-setup verify a.deb --key k b.deb --json": "ssm-setup verify --key k --json a.deb b.deb",
		"ssm-setup verify a.deb -- --key":             "ssm-setup verify a.deb -- --key",
		"ssm-setup verify a.deb --key":                "ssm-setup verify --key",
		"ssm-setup --json completion bash":            "ssm-setup --json completion bash",
		"ssm-setup status x --json":                   "ssm-setup status x --json",
		"ssm-setup":                                   "ssm-setup",
	} {
		if got := strings.Join(flagsFirst(app, strings.Fields(line)), " "); got != want {
			t.Errorf("%s: %s", line, got)
		}
	}
	file := filepath.Join(t.TempDir(), "SHA256SUMS")
	must(t, os.WriteFile(file, []byte(strings.Repeat("0", 64)+"  a\n"), 0o600))
	for _, args := range [][]string{{"verify", "--require", file}, {"verify", file, "--require"}} {
		if s := ssmSetup(args...); s.code != 4 || !strings.Contains(s.err, "cannot verify") {
			t.Errorf("%q: %+v", args, s)
		}
	}
	if s := ssmSetup("verify", file, "--key"); s.code != exitUsage || !strings.Contains(s.err, "flag needs an argument: -key") {
		t.Errorf("a flag without its value: %+v", s)
	}
}

func TestAnAnswerThatCannotBeWrittenIsNoSuccess(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer full.Close()
	var errs bytes.Buffer
	if code := run([]string{"ssm-setup", "version"}, strings.NewReader(""), full, &errs); code != 14 ||
		!strings.Contains(errs.String(), "cannot write the answer") {
		t.Errorf("%d: %s", code, &errs)
	}
	r, w, err := os.Pipe()
	must(t, err)
	r.Close()
	defer w.Close()
	errs.Reset()
	if code := run([]string{"ssm-setup", "man"}, strings.NewReader(""), w, &errs); code != 14 || errs.Len() > 0 {
		t.Errorf("closed pipe: %d: %s", code, &errs)
	}
}

// Without --json nothing is JSON, whatever a subcommand says.
func TestNothingIsJSONThatWasNotAskedFor(t *testing.T) {
	for _, args := range [][]string{{"status", "--root", t.TempDir()}, {"version"}, {"status", "--bad"}, {"regions", "--region", "local",
		"--endpoint", "http://127.0.0.1:1"}, {"versions", "--root", t.TempDir()}} {
		s := ssmSetup(args...)
		for line := range strings.Lines(s.out + s.err) {
			if json.Valid([]byte(line)) && strings.HasPrefix(line, "{") {
				t.Errorf("%v: %s", args, line)
			}
		}
	}
}

func TestTheVersionOfTheToolNamesGoAndPlatform(t *testing.T) {
	var v versionResult
	s := ssmSetup("version", "--json")
	must(t, json.Unmarshal([]byte(s.out), &v))
	if v.Version == "" || !strings.HasPrefix(v.Go, "go1.") || !strings.Contains(v.Platform, "/") {
		t.Errorf("%+v", v)
	}
	if text := fmt.Sprintf("go        %s\n", v.Go); !strings.Contains(ssmSetup("version").out, text) {
		t.Errorf("no %q", text)
	}
}

func TestAnUnsignedFileIsNoSuccessWhereASignatureIsRequired(t *testing.T) {
	bin, err := programs()
	must(t, err)
	out := t.TempDir()
	if s := ssmSetup("build", "--bin", bin, "--only", "deb", "--out", out); s.code != 0 {
		t.Fatal(s)
	}
	files, err := filepath.Glob(filepath.Join(out, "*", "*.deb"))
	must(t, err)
	if s := ssmSetup(append([]string{"verify"}, files...)...); len(files) == 0 || s.code != 0 || !strings.Contains(s.out, "not signed") {
		t.Errorf("%v: %+v", files, s)
	}
	if s := ssmSetup(append([]string{"verify", "--require"}, files...)...); s.code != 4 || !strings.Contains(s.err, "it is not signed") {
		t.Errorf("%+v", s)
	}
}

// A dry run says what would come, and leaves a machine as it is.
func TestADryRunChangesNothing(t *testing.T) {
	r := published(t)
	root := filepath.Join(t.TempDir(), "host")
	place := []string{"--region", r.Name(), "--endpoint", r.URL(), "--root", root}
	s := ssmSetup(append([]string{"install", "--dry-run"}, place...)...)
	if s.code != 0 || !strings.Contains(s.out, "would install amazon-ssm-agent 9.1.0.0 (") ||
		!strings.Contains(s.out, "nothing was changed (--dry-run)") {
		t.Errorf("%+v", s)
	}
	if _, err := os.Stat(root); err == nil {
		t.Error("there is a folder")
	}
	if s := ssmSetup("uninstall", "--purge", "--dry-run", "--root", root); s.code != 0 || !strings.Contains(s.out, "would remove nothing") {
		t.Errorf("%+v", s)
	}
	var versions struct{ Versions []map[string]any }
	s = ssmSetup(append([]string{"versions", "--json"}, place...)...)
	if json.Unmarshal([]byte(s.out), &versions) != nil || len(versions.Versions) != 1 || versions.Versions[0]["version"] != "9.1.0.0" {
		t.Errorf("%+v", s)
	}
}

func TestNoUpdateBeginsForAVersionThatIsNone(t *testing.T) {
	if s := ssmSetup("update", "--version", "banana", "--root", t.TempDir()); s.code != exitUsage || !strings.Contains(s.err, "--version") {
		t.Errorf("%+v", s)
	}
}

func TestTheWholeProgramHasHelpInEveryForm(t *testing.T) {
	for _, args := range [][]string{{}, {"help"}, {"--help"}, {"-h"}} {
		if s := ssmSetup(args...); s.code != 0 || s.err != "" || !strings.Contains(s.out, "\non a machine:\n  install ") {
			t.Errorf("%v: %+v", args, s)
		}
	}
}
