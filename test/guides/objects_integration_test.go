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
	said("promote", "promote", "--region", "local", "--version", "9.1.0.0", "--sign-pgp-key", "env:SIGNING_KEY")
	said("mark", "mark", "--region", "local", "--version", "9.1.0.0", "--status", "Active", "--sign-pgp-key", "env:SIGNING_KEY")
	said("config", "config")
	said("version", "version")
	said("mirror", "mirror", "--region", "local", "--to", "mirror")
	said("regions", "regions", "--region", "local")
	said("status", "status", "--root", root)
	said("install-plan", "install", "--region", "local", "--root", root, "--dry-run")
	said("install", "install", "--region", "local", "--root", root)
	said("install", "install", "--region", "local", "--root", root)
	said("status", "status", "--root", root)
	said("register", "register", "--region", "local", "--root", root, "--override")
	said("update-check", "update", "--check", "--root", root)
	said("update", "update", "--root", root)
	said("status", "status", "--root", root)
	said("versions", "versions", "--root", root)
	said("versions", "versions", "--region", "local")
	said("nodes", "nodes", "--region", "local")
	said("uninstall-plan", "uninstall", "--root", root, "--dry-run")
	said("uninstall", "uninstall", "--root", root)
	said("self-update", "self-update", "--from", filepath.Join(w.parts(t), "ssm-setup"), "--sha256",
		sumOf(t, filepath.Join(w.parts(t), "ssm-setup")))
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
