//go:build integration && unix

package guides_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The objects of all commands that can run here, in the order a release lives through.
func TestWhatCommandsPrintAsJSONFitsTheSchemas(t *testing.T) {
	w := openWorld(t)
	private, public := key(t)
	if err := os.WriteFile(filepath.Join(w.dir, "public.asc"), []byte(public), 0o644); err != nil {
		t.Fatal(err)
	}
	w.signing = private
	said := func(name string, args ...string) {
		t.Helper()
		holds(t, name, w.json(t, append(w.activation(t, 1), "SIGNING_KEY="+private), args...))
	}
	root := filepath.Join(w.dir, "host")
	w.removeHost(t, root)
	said("build", "build", "--version", "9.1.0.0", "--only", "tar,setup", "--platform", platform(), "--bin", w.parts(t), "--sign-pgp-key",
		"env:SIGNING_KEY")
	said("verify", "verify", "--key", "public.asc", "dist/9.1.0.0/SHA256SUMS")
	said("publish", "publish", "--region", "local", "--dry-run")
	said("publish", "publish", "--region", "local", "--sign-pgp-key", "env:SIGNING_KEY")
	said("promote", "promote", "--region", "local", "--version", "9.1.0.0", "--dry-run")
	said("promote", "promote", "--region", "local", "--version", "9.1.0.0", "--sign-pgp-key", "env:SIGNING_KEY")
	said("mark", "mark", "--region", "local", "--version", "9.1.0.0", "--status", "Active", "--dry-run")
	said("mark", "mark", "--region", "local", "--version", "9.1.0.0", "--status", "Active", "--sign-pgp-key", "env:SIGNING_KEY")
	said("config", "config")
	said("version", "version")
	said("completion", "completion", "fish")
	said("man", "man", "install")
	said("help", "help")
	said("mirror", "mirror", "--region", "local", "--to", "mirror", "--dry-run")
	said("mirror", "mirror", "--region", "local", "--to", "mirror")
	said("regions", "regions", "--region", "local")
	said("status", "status", "--root", root)
	w.run(t, w.dir, "sh", `mkdir -p "$ROOT/etc/amazon/ssm" && echo '{"Agent": {"UpdateWatchSeconds": 8}}' >"$ROOT/etc/amazon/ssm/amazon-ssm-agent.json"`,
		"ROOT="+root) // how long a new version is on trial
	said("install-plan", "install", "--region", "local", "--root", root, "--dry-run")
	said("install", "install", "--region", "local", "--root", root)
	said("install", "install", "--region", "local", "--root", root)
	said("status", "status", "--root", root)
	said("register-plan", "register", "--region", "local", "--root", root, "--override", "--dry-run")
	said("register", "register", "--region", "local", "--root", root, "--override")
	said("update-check", "update", "--check", "--root", root)
	said("update", "update", "--root", root)
	said("status", "status", "--root", root)
	said("versions", "versions", "--root", root)
	said("versions", "versions", "--region", "local")
	said("nodes", "nodes", "--region", "local")
	w.changes(t, root, said)
	said("uninstall-plan", "uninstall", "--root", root, "--dry-run")
	said("uninstall", "uninstall", "--root", root)
	said("self-update-plan", "self-update", "--dry-run", "--from", filepath.Join(w.parts(t), "ssm-setup"), "--sha256",
		sumOf(t, filepath.Join(w.parts(t), "ssm-setup")))
	said("self-update", "self-update", "--from", filepath.Join(w.parts(t), "ssm-setup"), "--sha256",
		sumOf(t, filepath.Join(w.parts(t), "ssm-setup")))
}

// changes are updates of a host that has 9.1.0.0: to a release and back, and to one that fails.
func (w *world) changes(t *testing.T, root string, said func(name string, args ...string)) {
	t.Helper()
	w.run(t, w.dir, "sh", `for v in 9.2.0.0 9.3.0.0; do
ssm-setup build --version $v --only tar --platform `+platform()+` --bin "$PARTS/$v" --out more
ssm-setup publish --from more/$v --region local --sign-pgp-key env:SIGNING_KEY
done`, "PARTS="+filepath.Join(w.programs, "more"), "SIGNING_KEY="+w.signing)
	said("update-check", "update", "--dry-run", "--version", "9.2.0.0", "--root", root)
	said("update", "update", "--version", "9.2.0.0", "--root", root)
	said("rollback-plan", "rollback", "--dry-run", "--root", root)
	said("rollback", "rollback", "--root", root)
	holds(t, "update", w.failing(t, 9, "update", "--version", "9.3.0.0", "--root", root))
	holds(t, "status", w.json(t, nil, "status", "--root", root))
	said("why", "why", "--root", root)
	said("unblock-plan", "unblock", "9.3.0.0", "--dry-run", "--root", root)
	said("unblock", "unblock", "9.3.0.0", "--root", root)
	for _, change := range [][]string{{"hold", "--reason", "a test", "--for", "1h"}, {"unhold"}, {"policy", "--version", ">=9.1"}} {
		said(change[0]+"-plan", append(change, "--dry-run", "--root", root)...)
		said(change[0], append(change, "--root", root)...)
	}
	said("policy", "policy", "--window", "0 2 * * SUN 3h UTC", "--cooldown", "3d", "--root", root)
	said("why", "why", "--root", root)
	said("trust", "trust", "--root", root)
	for line := range bytes.Lines(w.json(t, nil, "logs", "--root", root, "--update")) {
		holds(t, "logs", line)
	}
	holds(t, "nodes", w.first(t, "nodes", "--region", "local", "--watch"))
	holds(t, "status", w.first(t, "status", "--root", root, "--watch"))
	holds(t, "logs", w.first(t, "logs", "--root", root, "--follow"))
}

// failing is what a command prints on standard output that ends with an exit code.
func (w *world) failing(t *testing.T, code int, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(w.programs, "ssm-setup"), append([]string{"--json"}, args...)...)
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.Output()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		t.Fatalf("ssm-setup %v: %v, want exit code %d\n%s", args, err, code, out)
	}
	return out
}

// first is the first line of a command that goes on.
func (w *world) first(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(w.programs, "ssm-setup"), append([]string{"--json"}, args...)...)
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Errorf("ssm-setup %v: %v", args, err)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	return line
}

// sumOf is the SHA-256 of a file, by the system's own tool.
func sumOf(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("sha256sum", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))[0]
}

func TestAnErrorAndProgressAsJSONFitTheirSchemas(t *testing.T) {
	w := openWorld(t)
	cmd := exec.Command(filepath.Join(w.programs, "ssm-setup"), "--json", "install", "--region", "Nowhere!", "--root",
		filepath.Join(w.dir, "x"))
	cmd.Env, cmd.Dir = w.env, w.dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err == nil {
		t.Fatal("a region of no name was taken")
	}
	lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
	holds(t, "error", []byte(lines[len(lines)-1]))
	build := exec.Command(filepath.Join(w.programs, "ssm-setup"), "--json", "build", "--version", "9.1.0.0", "--only", "tar", "--platform",
		platform(),
		"--bin", w.parts(t))
	build.Env, build.Dir = w.env, w.dir
	errs.Reset()
	build.Stderr = &errs
	if err := build.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	for line := range strings.Lines(errs.String()) {
		holds(t, "progress", []byte(line))
	}
}

func TestTheReadyRegionSaysSoAsJSON(t *testing.T) {
	w := openWorld(t)
	cmd := exec.Command(filepath.Join(w.programs, "ssm-setup"), "local", "--json", "--name", "another", "--listen", "127.0.0.1:0", "--data",
		filepath.Join(w.dir, "another"))
	cmd.Env, cmd.Dir = w.env, w.dir
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Error(err)
	}
	link := w.json(t, nil, "console", "--name", "another", "--data", filepath.Join(w.dir, "another"))
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	holds(t, "local", line)
	holds(t, "console", link)
}
