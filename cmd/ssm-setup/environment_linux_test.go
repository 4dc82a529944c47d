package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
)

// What the shell of the one who installs holds stays there: secrets, search path, libraries, and its umask.
func TestTheShellsSecretsAndMaskStayOutOfTheAgent(t *testing.T) {
	r := published(t)
	activate(t, r)
	for name, value := range map[string]string{"GITHUB_TOKEN": "secret", "SSM_SIGN_PASSPHRASE": "secret", "PYTHONPATH": "/secret",
		"PATH": "/secret:" + os.Getenv("PATH"), "TMPDIR": t.TempDir(), "HOME": "/secret", "LC_TIME": "de_DE.UTF-8"} {
		t.Setenv(name, value)
	}
	defer syscall.Umask(syscall.Umask(0o077))
	above := t.TempDir()
	must(t, os.Chmod(filepath.Dir(above), 0o755))
	dir := filepath.Join(above, "host")
	t.Cleanup(func() { ssmSetup("uninstall", "--root", dir, "--purge") })
	object(t, installInto(r, dir))
	for _, shared := range []string{"etc/amazon", "var/lib/amazon", "var/log/amazon", "usr/bin"} {
		info, err := os.Stat(filepath.Join(dir, shared))
		if err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v, %v", shared, info, err)
		}
	}
	st := object(t, ssmSetup("status", "--root", dir, "--json"))
	for _, process := range []string{"pid", "launcher_pid"} {
		proc := "/proc/" + itoa(int(st[process].(float64)))
		env, err := os.ReadFile(proc + "/environ")
		if err != nil || bytes.Contains(env, []byte("secret")) || bytes.Contains(env, []byte("TMPDIR")) ||
			!bytes.Contains(env, []byte("LC_TIME=de_DE.UTF-8")) || !bytes.Contains(env, []byte("AWS_SHARED_CREDENTIALS_FILE="+
			installer.At(dir).Credentials())) {
			t.Errorf("%s: environment %q, %v", process, env, err)
		}
		status, err := os.ReadFile(proc + "/status")
		if err != nil || !strings.Contains(string(status), "Umask:\t0022\n") {
			t.Errorf("%s: not the mask of a service: %s", process, status)
		}
	}
}
