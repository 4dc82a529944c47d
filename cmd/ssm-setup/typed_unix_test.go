//go:build unix

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal/screen"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// Keys of a terminal.
const (
	ctrlC = "\x03"
	ctrlD = "\x04"
)

// realTool is ssm-setup as a program of its own, built once.
var realTool = sync.OnceValues(func() (string, error) {
	dir, err := programs()
	if err != nil {
		return dir, err
	}
	tool := filepath.Join(dir, "tool", "ssm-setup")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-X "+stampMark+"=ssm-setup-version=9.1.0.0", "-o", tool, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return string(out), err
	}
	return tool, nil
})

// atTerminal starts ssm-setup at a terminal of that many columns. variables go before those of the test.
func atTerminal(t *testing.T, columns uint16, variables []string, args ...string) *screen.Session {
	t.Helper()
	return screen.Start(t, real(t, variables, args...), columns)
}

func real(t *testing.T, variables []string, args ...string) *exec.Cmd {
	t.Helper()
	tool, err := realTool()
	if err != nil {
		t.Fatal(tool, err)
	}
	cmd := exec.Command(tool, args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "NO_COLOR=") && !strings.HasPrefix(v, "TERM=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(append(cmd.Env, "TERM=xterm"), variables...)
	return cmd
}

// What takes something away asks at a terminal. Only a yes is one; the end of the input and an interruption are none.
func TestAQuestionAtATerminalIsAnsweredByYesOnly(t *testing.T) {
	r := published(t)
	dir := root(t)
	object(t, installInto(r, dir))
	for name, c := range map[string]struct {
		typed string
		code  int
		words string
	}{
		"no":                   {"n\n", ExitFailed, "hint: answer y, or add --yes"},
		"nothing":              {"\n", ExitFailed, "it was not confirmed, and nothing was changed"},
		"another word":         {"yesterday\n", ExitFailed, "it was not confirmed, and nothing was changed"},
		"the end of the input": {ctrlD, ExitFailed, "it was not confirmed, and nothing was changed"},
		"Ctrl-C":               {ctrlC, 130, "hint: run the same command again"},
	} {
		s := atTerminal(t, 80, nil, "uninstall", "--purge", "--root", dir)
		s.Await("remove the agent (package version 9.1.0.0) from " + dir)
		s.Await("? [y/N] ")
		s.Type(c.typed)
		if code := s.End(); code != c.code || !strings.Contains(plain(s), c.words) || !strings.Contains(plain(s), "\nerror: cannot remove ") ||
			!setup.Exists(installer.At(dir).Launcher()) {
			t.Errorf("%s: exit code %d: %q", name, code, s.Written())
		}
	}
	s := atTerminal(t, 80, nil, "uninstall", "--purge", "--root", dir)
	s.Await("? [y/N] ")
	s.Type("Yes\n")
	if code := s.End(); code != 0 || setup.Exists(dir) {
		t.Errorf("yes: exit code %d: %s", code, s.Written())
	}
}

// colours are the sequences that only colour.
var colours = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// plain is what a program has written to a terminal, without colours.
func plain(s *screen.Session) string { return colours.ReplaceAllString(s.Written(), "") }

// Every other question: said no to, nothing is changed.
func TestWhatIsSaidNoToAtATerminalIsNotDone(t *testing.T) {
	r := published(t)
	out := t.TempDir()
	bin, err := programs()
	must(t, err)
	if s := ssmSetup("build", "--bin", bin, "--only", "tar", "--out", out); s.code != 0 {
		t.Fatal(s)
	}
	activate(t, r)
	dir := root(t)
	first := object(t, installInto(r, dir))["instance_id"]
	place := []string{"--region", r.Name(), "--endpoint", r.URL()}
	for question, args := range map[string][]string{
		"replace what ": append([]string{"publish", "--replace", "--from", out}, place...),
		"take 9.1.0.0 away from every host of region local? ": append([]string{"mark", "--version", "9.1.0.0", "--status", "Inactive"}, place...),
		"forget the registration as ":                         {"register", "--override", "--region", r.Name(), "--root", dir},
	} {
		before, err := r.Get("ssm-agent-manifest.json")
		must(t, err)
		s := atTerminal(t, 200, nil, args...)
		s.Await(question)
		s.Await("[y/N] ")
		s.Type("n\n")
		code := s.End()
		if after, err := r.Get("ssm-agent-manifest.json"); err != nil || string(after) != string(before) {
			t.Errorf("%v: the region has another manifest, %v", args, err)
		}
		if now := object(t, ssmSetup("status", "--json", "--root", dir))["instance_id"]; now != first || code != ExitFailed ||
			!strings.Contains(plain(s), "it was not confirmed, and nothing was changed") {
			t.Errorf("%v: exit code %d, registered as %v: %s", args, code, now, s.Written())
		}
	}
}

// A code is asked for where an activation is named without one. It is not shown, and however the question ends the terminal shows again
// what is typed.
func TestACodeThatIsTypedIsNotShown(t *testing.T) {
	r := published(t)
	id, code, err := r.CreateActivation(5)
	must(t, err)
	dir := root(t)
	install := []string{"install", "--region", r.Name(), "--endpoint", r.URL(), "--root", dir, "--activation-id", id}
	asked := func(typed string, want int, words string, args ...string) {
		t.Helper()
		s := atTerminal(t, 120, nil, args...)
		s.Await("activation code")
		s.Await("(it is not shown): ")
		s.AwaitHidden()
		s.Type(typed)
		got := s.End()
		if text := plain(s); got != want || !strings.Contains(text, words) || strings.Contains(text, code) {
			t.Errorf("exit code %d, not %d with %q: %q", got, want, words, s.Written())
		}
		if !s.Untouched() {
			t.Error("the terminal does not show what is typed")
		}
		s.Type("shown again")
		s.Await("shown again")
	}
	asked(ctrlC, 130, "error: cannot read the activation code: it was interrupted", install...)
	asked(ctrlD, exitUsage, "nothing was typed\nhint: type it, or name a file that holds it", install...)
	asked("\n", exitUsage, "the activation's code is missing", install...)
	asked(ctrlC, 130, "error: cannot read the activation code", append(install, "--activation-code-file", "-")...)
	if setup.Exists(dir) {
		t.Error("something was installed")
	}
	asked(code+"\n", 0, "healthy", install...)
	asked(code+"\n", 0, "registered in region local as mi-", "register", "--override", "--yes", "--region", r.Name(), "--root", dir,
		"--activation-id", id, "--activation-code-file", "-")
}

// Colours are for a terminal that shows them to a person who wants them.
func TestColoursAreForATerminalAlone(t *testing.T) {
	r := published(t)
	dir := root(t)
	object(t, installInto(r, dir))
	for name, c := range map[string]struct {
		variables []string
		coloured  bool
	}{
		"a terminal":      {nil, true},
		"NO_COLOR":        {[]string{"NO_COLOR=1"}, false},
		"a dumb terminal": {[]string{"TERM=dumb"}, false},
	} {
		for _, args := range [][]string{{"status", "--root", dir}, {"status", "--no-such-flag"}} {
			s := atTerminal(t, 80, c.variables, args...)
			s.End()
			if got := strings.Contains(s.Written(), "\x1b"); got != c.coloured {
				t.Errorf("%s: %v: %q", name, args, s.Written())
			}
		}
		s := atTerminal(t, 80, c.variables, "--json", "status", "--root", dir)
		if s.End(); strings.Contains(s.Written(), "\x1b") {
			t.Errorf("%s, --json: %q", name, s.Written())
		}
	}
	for _, args := range [][]string{{"status", "--root", dir}, {"status", "--no-such-flag"}} {
		if s := finish(t, real(t, nil, args...)); strings.Contains(s.out+s.err, "\x1b") {
			t.Errorf("no terminal: %v: %+v", args, s)
		}
	}
	var answer strings.Builder // colours go with the place: here the errors have a terminal, and the answer has none
	cmd := real(t, nil, "status", "--root", dir)
	cmd.Stdout = &answer
	if s := screen.Start(t, cmd, 80); s.End() != 0 || strings.Contains(answer.String(), "\x1b") || answer.Len() == 0 {
		t.Errorf("%q", &answer)
	}
}

// A long thing has one bar on a terminal, which never wraps; elsewhere no sequence that redraws.
func TestBarsAreForATerminalAlone(t *testing.T) {
	r := published(t)
	for _, columns := range []uint16{40, 100} {
		s := atTerminal(t, columns, nil, "mirror", "--region", r.Name(), "--endpoint", r.URL(), "--to", filepath.Join(t.TempDir(), "mirror"))
		if code := s.End(); code != 0 || !strings.Contains(s.Written(), "\r\x1b[J") || !strings.Contains(s.Written(), "% ") {
			t.Errorf("%d columns: exit code %d: %q", columns, code, s.Written())
		}
		bars := 0
		for line := range strings.SplitSeq(strings.ReplaceAll(plain(s), "\r\x1b[J", "\n"), "\n") {
			if !strings.HasPrefix(line, "mirroring local ") || !strings.Contains(line, "%") {
				continue
			}
			if bars++; len(line) >= int(columns) {
				t.Errorf("%d columns: %q", columns, line)
			}
		}
		if bars == 0 {
			t.Errorf("%d columns: no bar: %q", columns, s.Written())
		}
		if seen := screen.Of(t, plain(s)); strings.Count("\n"+seen, "\nmirroring local") != 1 {
			t.Errorf("%d columns: not one bar for the one task:\n%s", columns, seen)
		}
	}
	dumb := atTerminal(t, 80, []string{"TERM=dumb"}, "mirror", "--region", r.Name(), "--endpoint", r.URL(), "--to",
		filepath.Join(t.TempDir(), "mirror"))
	if code := dumb.End(); code != 0 || strings.Contains(dumb.Written(), "\x1b") || strings.Contains(dumb.Written(), "[=") {
		t.Errorf("a dumb terminal: exit code %d: %q", code, dumb.Written())
	}
	s := finish(t, real(t, nil, "mirror", "--region", r.Name(), "--endpoint", r.URL(), "--to", filepath.Join(t.TempDir(), "mirror")))
	if s.code != 0 || strings.ContainsAny(s.out+s.err, "\x1b\r") || strings.Contains(s.err, "[=") ||
		!strings.HasPrefix(s.err, "mirroring ") {
		t.Errorf("no terminal: %+v", s)
	}
}

// newRelease publishes another version to a region.
func newRelease(t *testing.T, r *local.Region, version string) {
	t.Helper()
	bin, out := t.TempDir(), t.TempDir()
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-X "+stampMark+"=ssm-setup-version="+version, "-o", bin+"/",
		"../amazon-ssm-agent", "../ssm-agent-worker")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatal(string(said), err)
	}
	if s := ssmSetup("build", "--bin", bin, "--only", "tar", "--out", out); s.code != 0 {
		t.Fatal(s)
	}
	if s := ssmSetup("publish", "--from", out, "--region", r.Name(), "--endpoint", r.URL()); s.code != 0 {
		t.Fatal(s)
	}
}

// A trial shows its clock in a real update; the second of two rollbacks asks.
func TestATrialShowsItsClockAndASecondRollbackAsks(t *testing.T) {
	r := published(t)
	activate(t, r)
	dir := root(t)
	object(t, installInto(r, dir))
	must(t, config.Set(installer.At(dir).ConfigFile(), map[string]any{"Agent.UpdateWatchSeconds": 3}))
	newRelease(t, r, "9.2.0.0")
	awaitFacts(t, dir, "9.1.0.0")
	s := atTerminal(t, 100, nil, "update", "--root", dir)
	s.Await("9.2.0.0 is on trial")
	code := s.End()
	clock := regexp.MustCompile(`on trial +\[[= ]+\] (\d) s of 3 s`).FindAllStringSubmatch(s.Written(), -1)
	shown := map[string]bool{}
	for _, m := range clock {
		shown[m[1]] = true
	}
	if code != 0 || len(shown) < 2 || !strings.Contains(s.Written(), "updated 9.1.0.0 → 9.2.0.0") {
		t.Errorf("exit code %d, %v: %q", code, shown, s.Written())
	}
	if seen := screen.Of(t, plain(s)); strings.Contains(seen, "s of 3 s") {
		t.Errorf("the clock stays behind:\n%s", seen)
	}
	awaitFacts(t, dir, "9.2.0.0")
	first := atTerminal(t, 100, nil, "rollback", "--root", dir)
	if code := first.End(); code != 0 || strings.Contains(first.Written(), "[y/N]") {
		t.Errorf("exit code %d: %s", code, first.Written())
	}
	again := atTerminal(t, 100, nil, "rollback", "--root", dir)
	again.Await("go to 9.2.0.0 again? [y/N] ")
	again.Type("n\n")
	if code := again.End(); code != ExitFailed {
		t.Errorf("exit code %d: %s", code, again.Written())
	}
	if st := object(t, ssmSetup("status", "--json", "--root", dir)); st["active"] != "9.1.0.0" {
		t.Errorf("%v", st)
	}
	again = atTerminal(t, 100, nil, "rollback", "--root", dir)
	again.Await("[y/N] ")
	again.Type("y\n")
	if code := again.End(); code != 0 || !strings.Contains(again.Written(), "rolled back 9.1.0.0 → 9.2.0.0") {
		t.Errorf("exit code %d: %s", code, again.Written())
	}
	if s := ssmSetup("uninstall", "--root", dir); s.code != 0 || setup.Exists(installer.At(dir).Facts()) {
		t.Errorf("%+v, facts are there: %v", s, setup.Exists(installer.At(dir).Facts()))
	}
}

// awaitFacts waits until the facts file says that a version runs, and that the package is 9.1.0.0.
func awaitFacts(t *testing.T, dir, version string) {
	t.Helper()
	var text []byte
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		text, _ = os.ReadFile(installer.At(dir).Facts())
		var facts installer.Facts
		if json.Unmarshal(text, &facts) == nil && facts.Agent.RunningVersion == version && facts.Agent.PackageVersion == "9.1.0.0" &&
			!facts.Agent.RunningSince.IsZero() {
			return
		}
	}
	t.Fatalf("facts: %s", text)
}
