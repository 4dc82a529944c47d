package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/setup"
)

// link builds ssm-setup under a version.
func link(t *testing.T, to, version string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X "+stampMark+"=ssm-setup-version="+version, "-o", to, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestTheToolReplacesItself(t *testing.T) {
	dir := t.TempDir()
	tool, next := filepath.Join(dir, "ssm-setup"), filepath.Join(dir, "next", pack.Setup)
	link(t, tool, "9.1.0.0")
	link(t, next, "9.2.0.0")
	version := func() string {
		out, _ := exec.Command(tool, "--version").Output()
		return strings.TrimSpace(string(out))
	}
	self := func(want int, words string, args ...string) {
		t.Helper()
		cmd := exec.Command(tool, append([]string{"self-update"}, args...)...)
		if s := finish(t, cmd); s.code != want || !strings.Contains(s.out+s.err, words) {
			t.Errorf("self-update %v: %+v", args, s)
		}
	}
	self(exitVerify, "no checksum is known", "--from", next)
	self(exitVerify, "checksum of the new program does not match", "--from", next, "--sha256", strings.Repeat("0", 64))
	self(exitUsage, "either --from FILE or --region R")
	self(exitUsage, "cannot read --from", "--from", next+"-none")
	bin, err := programs()
	must(t, err)
	worker := filepath.Join(bin, pack.Platform{OS: runtime.GOOS}.Executable(pack.Worker))
	self(exitUsage, "it is not ssm-setup", "--from", worker, "--sha256", sumOfFile(t, worker))

	r := published(t)
	out := filepath.Join(dir, "dist")
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if s := ssmSetup("build", "--version", "9.2.0.0", "--bin", filepath.Join(dir, "next"), "--platform", platform, "--only", "setup", "--out",
		out); s.code != 0 {
		t.Fatal(s)
	}
	end := map[bool]string{true: ".exe"}[runtime.GOOS == "windows"]
	release := filepath.Join(out, "9.2.0.0", "ssm-setup-"+runtime.GOOS+"-"+runtime.GOARCH+end)
	if before := version(); !strings.Contains(before, "9.1.0.0") {
		t.Fatal(before)
	}
	self(terminal.OK, "is now 9.2.0.0", "--from", release)
	if !strings.Contains(version(), "9.2.0.0") || !setup.Exists(tool+".old") {
		t.Errorf("it is %s now; old file there: %v", version(), setup.Exists(tool+".old"))
	}
	self(terminal.OK, "", "--from", tool+".old", "--sha256", sumOfFile(t, tool+".old"), "--allow-downgrade")
	if s := ssmSetup("publish", "--from", out, "--region", "local", "--endpoint", r.URL()); s.code != 0 {
		t.Fatal(s)
	}
	self(terminal.OK, "is now 9.2.0.0", "--region", "local", "--endpoint", r.URL())
	self(terminal.OK, "up to date", "--region", "local", "--endpoint", r.URL())
	self(exitRefused, "is older than this", "--from", tool+".old", "--sha256", sumOfFile(t, tool+".old"))
}

func sumOfFile(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("sha256sum", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))[0]
}

// What the timer of Amazon's agent runs: without a root of trust ssm-setup does not renew itself, and no installation under a root has one.
func TestWhatTheTimerRunsNeedsARootOfTrust(t *testing.T) {
	if s := ssmSetup("self-update", "--scheduled"); s.code != 0 || !strings.Contains(s.out, "no root of trust") {
		t.Errorf("%+v", s)
	}
	s := ssmSetup("update", "--scheduled", "--root", t.TempDir())
	if s.code != exitUsage || !strings.Contains(s.err, "--scheduled is for the system") {
		t.Errorf("%+v", s)
	}
}
