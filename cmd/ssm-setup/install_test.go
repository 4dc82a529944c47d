package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// made is the folder of programs, where there is one.
var made string

// programs are the host binaries as 9.1.0.0, built once.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "ssm-setup-test-")
	if err != nil {
		return "", err
	}
	made = dir
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-X "+stampMark+"=ssm-setup-version=9.1.0.0", "-o", dir+"/",
		"../amazon-ssm-agent", "../ssm-agent-worker")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return string(out), err
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if made != "" {
		os.RemoveAll(made)
	}
	os.Exit(code)
}

// said is what a run of ssm-setup said.
// stampMark is what the linker sets to a program's version.
const stampMark = "github.com/ssm-setup/ssm-setup/installer/stamp.mark"

type said struct {
	code     int
	out, err string
}

func ssmSetup(args ...string) said {
	var out, errs bytes.Buffer
	code := run(append([]string{"ssm-setup"}, args...), strings.NewReader(""), &out, &errs)
	return said{code, out.String(), errs.String()}
}

// published starts a region that serves 9.1.0.0.
func published(t *testing.T) *local.Region {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(bin, err)
	}
	r := local.Start(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", r.CredentialsFile())
	t.Setenv("AWS_PROFILE", "default")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	out := t.TempDir()
	if s := ssmSetup("build", "--bin", bin, "--only", "tar", "--out", out); s.code != 0 {
		t.Fatal(s)
	}
	if s := ssmSetup("publish", "--from", out, "--region", r.Name(), "--endpoint", r.URL()); s.code != 0 {
		t.Fatal(s)
	}
	return r
}

// activate puts a fresh activation into the environment.
func activate(t *testing.T, r *local.Region) {
	t.Helper()
	id, code, err := r.CreateActivation(5)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(setup.ActivationID, id)
	t.Setenv(setup.ActivationCode, code)
}

// root is a folder that is not there yet; whatever runs in it is stopped at the end.
func root(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "host")
	t.Cleanup(func() { ssmSetup("uninstall", "--root", dir, "--purge") })
	return dir
}

func installInto(r *local.Region, root string, more ...string) said {
	return ssmSetup(append([]string{"--json", "install", "--region", r.Name(), "--endpoint", r.URL(), "--root", root}, more...)...)
}

func object(t *testing.T, s said) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(s.out), &m); err != nil || s.code != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	return m
}

func TestASecondInstallationChangesNothing(t *testing.T) {
	r := published(t)
	activate(t, r)
	dir := root(t)
	secrets, _ := os.ReadFile(r.CredentialsFile())
	first := object(t, installInto(r, dir))
	if first["version"] != "9.1.0.0" || first["healthy"] != true || first["installed"] != true || first["registered"] != true {
		t.Errorf("%v", first)
	}
	if now, _ := os.ReadFile(r.CredentialsFile()); !bytes.Equal(now, secrets) {
		t.Error("the administrator's credentials were touched")
	}
	layout := installer.At(dir)
	before, _ := launcher.AgentRunning(layout.Pointer())
	second := object(t, installInto(r, dir))
	if second["installed"] != false || second["registered"] != false || second["healthy"] != true ||
		second["instance_id"] != first["instance_id"] {
		t.Errorf("%v", second)
	}
	if after, _ := launcher.AgentRunning(layout.Pointer()); after != before {
		t.Errorf("the second run exchanged process %d by %d", before, after)
	}
	st := object(t, ssmSetup("status", "--root", dir, "--json"))
	for key, want := range map[string]any{"active": "9.1.0.0", "floor": "9.1.0.0", "running": "9.1.0.0", "previous": "", "probation": false,
		"instance_id": first["instance_id"], "region": "local", "last_update": nil} {
		if st[key] != want {
			t.Errorf("status: %s is %v, want %v", key, st[key], want)
		}
	}
	if runtime.GOOS == "linux" {
		env, err := os.ReadFile("/proc/" + itoa(int(st["pid"].(float64))) + "/environ")
		if err != nil || bytes.Contains(env, []byte("SSM_ACTIVATION")) || bytes.Contains(env, []byte(r.CredentialsFile())) {
			t.Errorf("the agent's environment: %q, %v", env, err)
		}
	}
	if s := ssmSetup("uninstall", "--root", dir); s.code != 0 ||
		!strings.Contains(s.out, "removed amazon-ssm-agent (package version 9.1.0.0)") {
		t.Errorf("%+v", s)
	}
	if _, running := launcher.Running(layout.Pointer()); running {
		t.Error("the launcher still runs")
	}
	// the registration stayed: it comes back as the same node, without an activation
	t.Setenv(setup.ActivationID, "")
	t.Setenv(setup.ActivationCode, "")
	if third := object(t, installInto(r, dir)); third["instance_id"] != first["instance_id"] || third["healthy"] != true {
		t.Errorf("%v", third)
	}
	if s := ssmSetup("uninstall", "--root", dir, "--purge"); s.code != 0 || setup.Exists(dir) {
		t.Errorf("%+v, folder there: %v", s, setup.Exists(dir))
	}
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

// Whatever goes wrong: a clear error, its exit code, a hint, and nothing half done.
func TestAFailedInstallationLeavesNothingAndSaysTheNextStep(t *testing.T) {
	r := published(t)
	file := "amazon-ssm-agent/9.1.0.0/" + manifests.PortableFile(runtime.GOOS, runtime.GOARCH)
	good, err := r.Get(file)
	if err != nil {
		t.Fatal(err)
	}
	manifest, _ := r.Get(regions.ManifestKey)
	for name, c := range map[string]struct {
		spoil func()
		args  []string
		code  int
		words string
	}{
		"wrong code":        {func() { t.Setenv(setup.ActivationCode, strings.Repeat("x", 20)) }, nil, exitRegistration, "InvalidActivation"},
		"short code":        {func() { t.Setenv(setup.ActivationCode, "abc") }, nil, exitUsage, "at least 20 characters"},
		"expired":           {func() { r.Advance(30 * 24 * time.Hour) }, nil, exitRegistration, "ActivationExpired"},
		"wrong checksum":    {func() { r.Corrupt(file) }, nil, exitVerify, "checksum"},
		"truncated package": {func() { r.Put(file, good[:len(good)/2]) }, nil, exitVerify, "size"},
		"no manifest":       {func() { r.Delete(regions.ManifestKey) }, nil, exitRegion, "not in the bucket"},
		"garbage manifest":  {func() { r.Put(regions.ManifestKey, []byte("<html>log in</html>")) }, nil, exitRegion, "HTML"},
		"not for us": {func() {
			r.Put(regions.ManifestKey, bytes.ReplaceAll(manifest, []byte("-"+runtime.GOARCH), []byte("-mips")))
		}, nil,
			exitRefused, "cannot find"},
		"unknown version":  {func() {}, []string{"--version", "9.7.0.0"}, exitRefused, "does not list 9.7.0.0"},
		"broken for good":  {func() { r.Break("/amazon-ssm-local/", -1, 503, "") }, nil, exitRegion, "503"},
		"no such version":  {func() {}, []string{"--version", "~8"}, exitRefused, "names no version"},
		"nonsense version": {func() {}, []string{"--version", "newest"}, exitUsage, "newest"},
	} {
		t.Run(name, func(t2 *testing.T) {
			activate(t, r)
			dir := root(t2)
			c.spoil()
			s := installInto(r, dir, append(c.args, "--wait", "5s")...)
			if s.code != c.code || !strings.Contains(s.err, c.words) {
				t2.Errorf("exit %d, want %d with %q; it said %s", s.code, c.code, c.words, s.err)
			}
			var last map[string]any
			lines := strings.Split(strings.TrimSpace(s.err), "\n")
			if json.Unmarshal([]byte(lines[len(lines)-1]), &last) != nil || last["hint"] == "" {
				t2.Errorf("no hint in %s", lines[len(lines)-1])
			}
			if setup.Exists(dir) {
				out, _ := exec.Command("find", dir).CombinedOutput()
				t2.Errorf("left behind:\n%s", out)
			}
			r.Mend()
			r.Put(file, good)
			r.Put(regions.ManifestKey, manifest)
		})
	}
}

func TestARegionThatCannotBeReachedLeavesNothing(t *testing.T) {
	dir := root(t)
	s := ssmSetup("install", "--region", "local", "--endpoint", "http://127.0.0.1:1", "--root", dir)
	if s.code != exitRegion || setup.Exists(dir) || !strings.Contains(s.err, "hint: ") {
		t.Errorf("%+v", s)
	}
	if s := ssmSetup("install", "--region", "eu-wset-1", "--root", dir); s.code != exitUsage || !strings.Contains(s.err, "eu-west-1") {
		t.Errorf("%+v", s)
	}
}

// interrupted leaves the record of an installation that began and did not end.
func interrupted(t *testing.T, l installer.Layout) {
	t.Helper()
	must(t, os.MkdirAll(l.Data(), 0o755))
	const text = `{"version": "9.1.0.0", "format": "tar", "region": "local", "began": %q, "setup": "9.1.0.0",
		"before": {"agent": false, "root": false, "data": false, "logs": false}}`
	must(t, os.WriteFile(filepath.Join(l.Data(), "install"), fmt.Appendf(nil, text, time.Now().Format(time.RFC3339)), 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// An installation that was killed is finished by the next run.
func TestAnInterruptedInstallationIsFinishedByTheNextRun(t *testing.T) {
	r := published(t)
	activate(t, r)
	dir := root(t)
	layout := installer.At(dir)
	interrupted(t, layout)
	os.MkdirAll(layout.BinDir(), 0o755)
	os.WriteFile(layout.Worker(), []byte("half"), 0o755)
	s := installInto(r, dir)
	if m := object(t, s); m["healthy"] != true || !strings.Contains(s.err, "going on with the installation of 9.1.0.0") {
		t.Errorf("%+v", s)
	}
}

// …or, if it cannot be finished, undone by it.
func TestAnInterruptedInstallationThatCannotBeFinishedIsUndone(t *testing.T) {
	r := published(t)
	activate(t, r)
	t.Setenv(setup.ActivationCode, strings.Repeat("y", 20))
	dir := root(t)
	layout := installer.At(dir)
	interrupted(t, layout)
	if s := installInto(r, dir); s.code != exitRegistration || setup.Exists(dir) {
		t.Errorf("%+v, folder there: %v", s, setup.Exists(dir))
	}
}

func TestTheSecondOfTwoInstallationsStepsBack(t *testing.T) {
	r := published(t)
	activate(t, r)
	dir := root(t)
	holdLock(t, dir)
	s := installInto(r, dir)
	if s.code != exitBusy {
		t.Errorf("%+v", s)
	}
}

// holdLock has another process hold the lock of an installation until the returned func is called, or the test ends.
func holdLock(t *testing.T, dir string) (end func()) {
	t.Helper()
	lock := exec.Command(os.Args[0], "-test.run=^TestHoldsLock$")
	lock.Env = append(os.Environ(), "HOLD_LOCK_OF="+dir)
	in, _ := lock.StdinPipe()
	out, _ := lock.StdoutPipe()
	if err := lock.Start(); err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() { in.Close(); lock.Wait() })
	t.Cleanup(end)
	out.Read(make([]byte, 1))
	return end
}

func TestRegisterLeavesARegisteredMachineAlone(t *testing.T) {
	r := published(t)
	dir := root(t)
	if m := object(t, installInto(r, dir)); m["instance_id"] != "" || m["running"] != true {
		t.Errorf("%v", m)
	}
	activate(t, r)
	one := object(t, ssmSetup("--json", "register", "--region", "local", "--root", dir))
	if one["registered"] != true || one["healthy"] != true {
		t.Errorf("%v", one)
	}
	if again := object(t, ssmSetup("--json", "register", "--region", "local", "--root", dir)); again["registered"] != false ||
		again["instance_id"] != one["instance_id"] {
		t.Errorf("%v", again)
	}
	if other := object(t, ssmSetup("--json", "register", "--region", "local", "--root", dir,
		"--override")); other["instance_id"] == one["instance_id"] {
		t.Errorf("%v", other)
	}
}

// TestHoldsLock is the other installation of the tests.
func TestHoldsLock(t *testing.T) {
	dir := os.Getenv("HOLD_LOCK_OF")
	if dir == "" {
		return
	}
	must(t, os.MkdirAll(installer.At(dir).Data(), 0o755))
	lock, err := installer.LockUpdate(installer.At(dir))
	must(t, err)
	defer lock.Release()
	os.Stdout.Write([]byte{'!'})
	os.Stdin.Read(make([]byte, 1))
}
