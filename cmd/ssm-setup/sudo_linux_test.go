package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// sudo for a folder of the caller's own: every subcommand works as the caller, and what is made is the caller's.
func TestSudoWorksAsTheAccountThatOwnsTheFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("sudo needs root; CI runs this as root, too")
	}
	tool := filepath.Join(t.TempDir(), "ssm-setup") // in a folder that only root can see
	if out, err := exec.Command("go", "build", "-o", tool, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r := published(t)
	activate(t, r)
	above := t.TempDir()
	must(t, os.Chmod(filepath.Dir(above), 0o755))
	home := filepath.Join(above, "home")
	must(t, os.Mkdir(home, 0o755))
	must(t, os.Chown(home, 65534, 65534))
	dir := filepath.Join(home, "host")
	sudo := func(args ...string) said {
		cmd := exec.Command(tool, append(args, "--root", dir)...)
		cmd.Env = append(os.Environ(), "SUDO_UID=65534")
		return finish(t, cmd)
	}
	t.Cleanup(func() { sudo("uninstall", "--purge") })
	first := object(t, sudo("--json", "install", "--region", r.Name(), "--endpoint", r.URL()))
	if first["healthy"] != true {
		t.Errorf("%v", first)
	}
	st := object(t, sudo("--json", "status"))
	for _, process := range []string{"pid", "launcher_pid"} {
		info, err := os.Stat("/proc/" + itoa(int(st[process].(float64))))
		if err != nil || info.Sys().(*syscall.Stat_t).Uid != 65534 {
			t.Errorf("%s is not the account's: %v", process, err)
		}
	}
	must(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Sys().(*syscall.Stat_t).Uid != 65534 {
			t.Errorf("%s is not the account's", path)
		}
		return nil
	}))
	if s := sudo("update", "--check"); s.code != 0 {
		t.Errorf("%+v", s)
	}
	if s := ssmSetup("update", "--check", "--root", dir); s.code != ExitPermission || !strings.Contains(s.err, "belongs to another account") {
		t.Errorf("root, whom the account did not call: %+v", s)
	}
	if s := sudo("uninstall", "--purge"); s.code != 0 {
		t.Errorf("%+v", s)
	}
}
