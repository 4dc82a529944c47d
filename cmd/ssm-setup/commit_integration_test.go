//go:build integration

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/build"
)

// A release names the commit that it was made of: where all that was compiled is in one. Without a repository it is the one that was
// given, with the same bytes; a source that differs from its commit has none.
func TestAReleaseNamesTheCommitOfItsSource(t *testing.T) {
	source := copyOfSource(t)
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", source, "-c", "user.name=a", "-c", "user.email=a@b.example", "-c",
			"commit.gpgsign=false"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	git("add", "-A")
	git("commit", "-q", "-m", "all")
	head := git("rev-parse", "HEAD")
	t.Setenv("SOURCE_DATE_EPOCH", "1735689600")

	first, commit := setupOf(t, source)
	if commit != head {
		t.Errorf("it says %q, the source is at %s", commit, head)
	}
	must(t, os.Rename(filepath.Join(source, ".git"), filepath.Join(t.TempDir(), "git")))
	if _, commit := setupOf(t, source); commit != "" {
		t.Errorf("without a repository it says %q", commit)
	}
	t.Setenv("SOURCE_COMMIT", head)
	if again, commit := setupOf(t, source); commit != head || !bytes.Equal(again, first) {
		t.Errorf("of an archive it says %q; the same bytes: %v", commit, bytes.Equal(again, first))
	}
	t.Setenv("SOURCE_COMMIT", "")
	git("init", "-q")
	git("add", "-A")
	git("commit", "-q", "-m", "all")
	main := filepath.Join(source, "cmd", "ssm-setup", "main.go")
	text, err := os.ReadFile(main)
	must(t, err)
	must(t, os.WriteFile(main, append(text, "// changed\n"...), 0o644))
	if _, commit := setupOf(t, source); commit != "" {
		t.Errorf("of a source that differs from its commit it says %q", commit)
	}
}

// copyOfSource is this source tree, without a repository.
func copyOfSource(t *testing.T) string {
	t.Helper()
	from, err := build.Source(".")
	must(t, err)
	out, err := exec.Command("git", "-c", "safe.directory=*", "-C", from, "ls-files", "-z", "--cached", "--others",
		"--exclude-standard").Output()
	must(t, err)
	to := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		b, err := os.ReadFile(filepath.Join(from, name))
		if os.IsNotExist(err) {
			continue // removed, and not committed yet
		}
		must(t, err)
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(to, name), b, 0o644))
	}
	return to
}

// setupOf builds ssm-setup of a release, and returns it and the commit that it names.
func setupOf(t *testing.T, source string) (program []byte, commit string) {
	t.Helper()
	out := t.TempDir()
	s := ssmSetup("build", "--version", "9.1.0.0", "--source", source, "--only", "setup", "--platform", runtime.GOOS+"/"+runtime.GOARCH,
		"--toolchain", build.LocalToolchain, "--out", out)
	if s.code != 0 {
		t.Fatal(s)
	}
	tool := filepath.Join(out, "9.1.0.0", "ssm-setup-"+runtime.GOOS+"-"+runtime.GOARCH)
	program, err := os.ReadFile(tool)
	must(t, err)
	must(t, os.Chmod(tool, 0o755))
	said, err := exec.Command(tool, "version", "--json").Output()
	must(t, err)
	var v versionResult
	must(t, json.Unmarshal(said, &v))
	return program, v.Commit
}
