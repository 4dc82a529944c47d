package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/setup"
)

// TestChild is ssm-setup in a process of its own, for the tests below.
func TestChild(t *testing.T) {
	if args := os.Getenv("CHILD_ARGS"); args != "" {
		os.Exit(run(strings.Split(args, "\n"), os.Stdin, os.Stdout, os.Stderr))
	}
}

// The agent is installed, but the service does not answer it: exit code 11, everything stays, and the next run succeeds.
func TestAnAgentWithoutAServiceIsInstalledAndUnhealthy(t *testing.T) {
	r := published(t)
	activate(t, r)
	dir := root(t)
	r.Break("UpdateInstanceInformation", -1, 503, "")
	s := installInto(r, dir, "--wait", "500ms")
	if s.code != exitUnhealthy || !strings.Contains(s.err, "no healthy ping") {
		t.Errorf("%+v", s)
	}
	r.Mend()
	if m := object(t, ssmSetup("--json", "status", "--root", dir)); m["installed"] != true || m["instance_id"] == "" {
		t.Errorf("%v", m)
	}
	if m := object(t, installInto(r, dir)); m["healthy"] != true || m["installed"] != false {
		t.Errorf("%v", m)
	}
}

// A foreign program in the place of the launcher is left alone.
func TestTheOriginalIsLeftAlone(t *testing.T) {
	r := published(t)
	activate(t, r)
	dir := root(t)
	layout := installer.At(dir)
	os.MkdirAll(layout.BinDir(), 0o755)
	os.WriteFile(layout.Launcher(), []byte("the original"), 0o755)
	for _, args := range [][]string{{"install", "--region", "local", "--endpoint", r.URL()}, {"uninstall"}, {"uninstall", "--purge"},
		{"status"}} {
		s := ssmSetup(append(args, "--root", dir)...)
		if s.code != exitRefused || !strings.Contains(s.err, "the original agent is installed") {
			t.Errorf("%v: %+v", args, s)
		}
	}
	if b, _ := os.ReadFile(layout.Launcher()); string(b) != "the original" {
		t.Errorf("it holds %q", b)
	}
	if setup.Exists(layout.Data()) {
		t.Error("something was made beside it")
	}
}

func child(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), "CHILD_ARGS="+strings.Join(append([]string{"ssm-setup"}, args...), "\n"))
	return cmd
}

func finish(t *testing.T, cmd *exec.Cmd) said {
	t.Helper()
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return said{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}
