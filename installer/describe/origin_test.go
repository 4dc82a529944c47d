package describe_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/describe"
)

// repository is a git repository of a test's own with two files.
type repository struct {
	t   *testing.T
	dir string
}

func newRepository(t *testing.T) repository {
	t.Helper()
	r := repository{t, t.TempDir()}
	r.git("init", "-q")
	r.put("go.mod", "module x\n")
	r.put("cmd/main.go", "package main\n")
	r.put(".gitignore", "secret.go\n")
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "first")
	return r
}

func (r repository) git(args ...string) string {
	r.t.Helper()
	out, err := exec.Command("git", append([]string{"-C", r.dir, "-c", "user.name=t", "-c", "user.email=t@example.test", "-c",
		"commit.gpgsign=false"}, args...)...).CombinedOutput()
	if err != nil {
		r.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r repository) put(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		r.t.Fatal(err)
	}
}

// origin is what is said of files of the repository.
func (r repository) origin(files ...string) describe.Origin {
	r.t.Helper()
	o, err := describe.OriginOf("", r.dir, files)
	if err != nil {
		r.t.Fatal(err)
	}
	return o
}

// A commit is named where all that was compiled is in it; not where a file is untracked, ignored, or changed behind the index's back.
func TestACommitIsNamedOnlyIfItHasAllThatWasCompiled(t *testing.T) {
	r := newRepository(t)
	head := r.git("rev-parse", "HEAD")
	if o := r.origin("go.mod", "cmd/main.go"); o.Commit != head || o.Why != "" {
		t.Errorf("an unchanged tree: %+v, not %s", o, head)
	}
	r.put("notes.txt", "not compiled")
	r.put("cmd/secret.go", "package main\n\nfunc init() { println(1) }\n")
	if o := r.origin("go.mod", "cmd/main.go"); o.Commit != head {
		t.Errorf("files that were not compiled count: %+v", o)
	}
	for name, file := range map[string]string{"untracked": "cmd/new.go", "ignored": "cmd/secret.go"} {
		r.put(file, "package main\n")
		if o := r.origin("go.mod", file, "cmd/main.go"); o.Commit != "" || !strings.HasPrefix(o.Why, file+" was compiled") {
			t.Errorf("%s: %+v", name, o)
		}
	}
	r.git("update-index", "--assume-unchanged", "cmd/main.go")
	r.git("update-index", "--skip-worktree", "go.mod")
	r.put("cmd/main.go", "package main // changed\n")
	if status := r.git("status", "--porcelain", "--untracked-files=no"); status != "" {
		t.Fatalf("git sees %s: this shows nothing", status)
	}
	if o := r.origin("cmd/main.go"); o.Commit != "" || o.Why != "cmd/main.go differs from the commit" {
		t.Errorf("changed, and called unchanged in the index: %+v", o)
	}
	r.put("go.mod", "module y\n")
	if o := r.origin("go.mod"); o.Commit != "" {
		t.Errorf("changed outside of the work tree that git looks at: %+v", o)
	}
	if o := r.origin(); o.Commit != "" {
		t.Errorf("nothing is known of what was compiled: %+v", o)
	}
}

// Neither the environment nor objects that stand for others lead elsewhere.
func TestTheCommitIsThatOfTheSourcesOwnRepository(t *testing.T) {
	r, other := newRepository(t), newRepository(t)
	other.put("cmd/main.go", "package main // other\n")
	other.git("commit", "-q", "-a", "-m", "other")
	t.Setenv("GIT_DIR", filepath.Join(other.dir, ".git"))
	if o := r.origin("cmd/main.go"); o.Commit == "" || o.Why != "" {
		t.Errorf("with GIT_DIR of another repository: %+v", o)
	}
	os.Unsetenv("GIT_DIR")
	first := r.git("rev-parse", "HEAD")
	r.put("cmd/main.go", "package main // replaced\n")
	r.git("commit", "-q", "-a", "-m", "second")
	second := r.git("rev-parse", "HEAD")
	r.git("reset", "-q", "--hard", first)
	r.git("replace", first, second)
	r.put("cmd/main.go", "package main // replaced\n")
	if o := r.origin("cmd/main.go"); o.Commit != "" {
		t.Errorf("a replaced commit: %+v", o)
	}
}

// SOURCE_COMMIT is compared where there is something to compare with; elsewhere it is said, and not claimed.
func TestAGivenCommitIsCheckedOrOnlySaid(t *testing.T) {
	r := newRepository(t)
	head, another := r.git("rev-parse", "HEAD"), strings.Repeat("ab", 20)
	for given, fine := range map[string]bool{head: true, another: false, "main": false, head[:12]: false, "HEAD": false,
		strings.ToUpper(head): false} {
		o, err := describe.OriginOf(given, r.dir, []string{"go.mod"})
		if fine != (err == nil) || err != nil && !errors.Is(err, describe.ErrCommit) || fine && o.Commit != head {
			t.Errorf("%s: %+v, %v", given, o, err)
		}
	}
	for _, source := range []string{"", t.TempDir()} {
		o, err := describe.OriginOf(another, source, []string{"go.mod"})
		if err != nil || o.Commit != "" || o.Given != another {
			t.Errorf("without a repository (%q): %+v, %v", source, o, err)
		}
	}
	here := released(t)
	here.Origin = describe.Origin{Given: another}
	write(t, here)
	b, err := os.ReadFile(filepath.Join(here.Dir, "provenance-linux-amd64.intoto.json"))
	if err != nil || strings.Contains(string(b), "gitCommit") || !strings.Contains(string(b), `"SOURCE_COMMIT": "`+another) {
		t.Errorf("%v\n%s", err, b)
	}
}

// A fork is named as the fork, without the account that fetches from it; a place on a disk is not named.
func TestTheRemoteIsTheSourcesOwn(t *testing.T) {
	r := newRepository(t)
	for remote, want := range map[string]string{
		"https://user:token@git.example/fork/repo.git?x=1": "https://git.example/fork/repo",
		"git@git.example:fork/repo.git":                    "ssh://git.example/fork/repo",
		"ssh://git@git.example:2222/fork/repo":             "ssh://git.example:2222/fork/repo",
		"/srv/git/repo":                                    "",
		"file:///srv/git/repo":                             "",
		`C:\work\repo`:                                     "",
		"../repo":                                          "",
	} {
		r.git("config", "remote.origin.url", remote)
		if o := r.origin("go.mod"); o.Remote != want || o.Commit == "" {
			t.Errorf("%s: %q, want %q", remote, o.Remote, want)
		}
	}
}
