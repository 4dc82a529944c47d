//go:build integration && unix

package guides_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ordinary is the account that CI makes for what must work without privileges.
const ordinary = "tester"

func TestTheReadmeIsFollowedWordForWord(t *testing.T) {
	followReadme(t, nil)
}

func TestTheReadmeIsFollowedWordForWordByAnOrdinaryAccount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this account is an ordinary one: the other test has followed the README as it")
	}
	who, err := user.Lookup(ordinary)
	if err != nil {
		t.Skipf("there is no account %s; .ci/run makes it", ordinary)
	}
	uid, _ := strconv.ParseUint(who.Uid, 10, 32)
	gid, _ := strconv.ParseUint(who.Gid, 10, 32)
	followReadme(t, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)})
}

// followReadme runs the README's blocks in order on a copy of the source, in one shell, with a home of its own.
func followReadme(t *testing.T, as *syscall.Credential) {
	t.Helper()
	for _, program := range []string{"bash", "make", "git", "aws"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	if l, err := net.Listen("tcp", "127.0.0.1:7700"); err != nil {
		t.Fatalf("the README's region needs its port: %v", err)
	} else {
		_ = l.Close()
	}
	dir, err := os.MkdirTemp("", "ssm-setup-readme-") // t.TempDir lies in a folder of this account's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	clone, home := filepath.Join(dir, "clone"), filepath.Join(dir, "home")
	copySource(t, clone)
	script := filepath.Join(dir, "readme.sh")
	if err := errors.Join(os.Mkdir(home, 0o700), os.WriteFile(script, []byte(readmeScript(t)), 0o644)); err != nil {
		t.Fatal(err)
	}
	environment := append(goEnvironment(t), "HOME="+home, "SSM_SETUP_HOME="+home+"/.config/ssm-setup", "PATH="+os.Getenv("PATH"),
		"LANG=C.UTF-8", "AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1", "TMPDIR="+os.TempDir())
	if as != nil {
		give(t, dir, as)
		if !canUse(as, environment) {
			t.Skipf("%s cannot read Go's caches; set GOCACHE and GOMODCACHE to folders that it can use, as .ci/run does", ordinary)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", script)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = clone, environment, &syscall.SysProcAttr{Credential: as, Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	out, err := cmd.CombinedOutput()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the region, where the script broke off
	if err != nil {
		region, _ := os.ReadFile(filepath.Join(clone, "region.log"))
		t.Fatalf("the README cannot be followed: %v\n%s\nthe region:\n%s", err, out, region)
	}
	for _, want := range []string{"everything is cleaned up", "published 9.1.0.0", "registered as mi-", "running           9.1.0.0",
		"published 9.2.0.0", "9.2.0.0 runs and is confirmed"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("nothing says %q:\n%s", want, out)
		}
	}
	if to, err := os.Readlink(filepath.Join(clone, "bin/ssm-setup-cli")); err != nil || to != "ssm-setup" {
		t.Errorf("bin/ssm-setup-cli leads to %q: %v", to, err)
	}
	if _, err := os.Stat(filepath.Join(clone, "host/usr")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the host's programs are still there: %v", err)
	}
}

// readmeScript is what a reader types: a block after the other. A region runs beside them, as in a terminal of its own.
func readmeScript(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("set -euo pipefail\nregion=\ntrap '[ -z \"$region\" ] || kill $region; wait' EXIT\n")
	for _, block := range blocks(t, "README.md") {
		switch block.info {
		case "sh":
			b.WriteString(block.text)
		case "sh region":
			fmt.Fprintf(&b, "%s >region.log 2>&1 &\nregion=$!\n", strings.TrimSpace(block.text))
			b.WriteString("for i in $(seq 600); do grep -q 'is open at' region.log && break; kill -0 $region; sleep 0.2; done\n")
		}
	}
	return b.String()
}

// copySource copies what a clone of this state would hold.
func copySource(t *testing.T, to string) {
	t.Helper()
	list := exec.Command("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = source(t)
	names, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		from, at := filepath.Join(source(t), name), filepath.Join(to, name)
		info, err := os.Stat(from)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not committed yet
		}
		text, readErr := os.ReadFile(from)
		if err := errors.Join(err, readErr, os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, text, info.Mode().Perm())); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"},
		{"-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "all"}} {
		git := exec.Command("git", args...)
		git.Dir = to
		if out, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}

// give makes an account the owner of a folder and all in it.
func give(t *testing.T, dir string, to *syscall.Credential) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, int(to.Uid), int(to.Gid)))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// goEnvironment are the settings by which another home compiles nothing anew.
func goEnvironment(t *testing.T) (list []string) {
	t.Helper()
	names := []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS", "GOSUMDB", "GOTOOLCHAIN"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, value := range strings.Split(strings.TrimRight(string(out), "\n"), "\n") {
		list = append(list, names[i]+"="+value)
	}
	return list
}

// canUse tells whether an account can read the module cache and write the build cache.
func canUse(as *syscall.Credential, environment []string) bool {
	cmd := exec.Command("bash", "-c", `test -r "$GOMODCACHE" && test -w "$GOCACHE" && test -w "$GOCACHE/00"`)
	cmd.Env, cmd.Dir, cmd.SysProcAttr = environment, "/", &syscall.SysProcAttr{Credential: as}
	return cmd.Run() == nil
}
