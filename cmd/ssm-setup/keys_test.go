package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

func TestKeysRefusesBadInputBeforeItWrites(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	for _, args := range [][]string{{}, {"make"}, {"init", "more"}, {"add"}, {"remove", "root"}, {"sign"}, {"init", "--root-keys", "0"},
		{"init", "--days", "root"}, {"init", "--days", "root=0"}, {"init", "--days", "other=3"}, {"init", "--type", "rsa"},
		{"init", "--root-keys", "1", "--threshold", "2"}, {"show"}, {"init", "--key", filepath.Join(dir, "nothing")}} {
		s := ssmSetup(append([]string{"keys", "--keys", dir}, args...)...)
		if s.code != exitUsage || s.out != "" || !strings.Contains(s.err, "\nhint: ") {
			t.Errorf("%v: %+v", args, s)
		}
		if _, err := os.Stat(filepath.Join(dir, "keys.json")); err == nil {
			t.Fatalf("%v: keys were made", args)
		}
	}
}

func TestARootThatWantsSignaturesSaysWhose(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if s := ssmSetup("keys", "init", "--keys", dir, "--threshold", "2"); s.code != 0 || !strings.Contains(s.out, "2 of 2") {
		t.Fatalf("%+v", s)
	}
	if s := ssmSetup("keys", "init", "--keys", dir); s.code != fault.Refused.ExitCode() {
		t.Errorf("a second time: %+v", s)
	}
	away, err := filepath.Glob(filepath.Join(dir, "offline", "*"))
	if err != nil || len(away) != 2 {
		t.Fatal(away, err)
	}
	must(t, os.Rename(away[0], filepath.Join(t.TempDir(), "key")))
	s := ssmSetup("keys", "rotate", "snapshot", "--keys", dir)
	if s.code != 0 || !strings.Contains(s.out, "it wants 1 more of the keys of root 1") || !strings.Contains(s.out, "keys sign") {
		t.Errorf("%+v", s)
	}
	var a struct {
		Complete bool
		Missing  []struct {
			More int
			Of   []string
		}
	}
	s = ssmSetup("keys", "show", "--keys", dir, "--json")
	if err := json.Unmarshal([]byte(s.out), &a); err != nil || a.Complete || len(a.Missing) != 2 || a.Missing[0].More != 1 {
		t.Errorf("%v %+v", err, s)
	}
	if s := ssmSetup("keys", "sign", "--keys", dir, filepath.Join(dir, "keys.json")); s.code != fault.Usage.ExitCode() {
		t.Errorf("no root: %+v", s)
	}
}

func TestADryRunOfKeysWritesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if s := ssmSetup("keys", "init", "--keys", dir, "--dry-run"); s.code != 0 || !strings.Contains(s.out, "nothing was written") {
		t.Errorf("%+v", s)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder is there")
	}
	must(t, os.MkdirAll(filepath.Dir(dir), 0o700))
	if s := ssmSetup("keys", "init", "--keys", dir); s.code != 0 {
		t.Fatalf("%+v", s)
	}
	before := tree(t, dir)
	for _, args := range [][]string{{"rotate"}, {"rotate", "targets"}, {"add", "root"}} {
		if s := ssmSetup(append([]string{"keys", "--keys", dir, "--dry-run"}, args...)...); s.code != 0 || tree(t, dir) != before {
			t.Errorf("%v: %+v", args, s)
		}
	}
}

// tree is the names and contents below a folder.
func tree(t *testing.T, dir string) (all string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all += path + "\n" + string(b)
		return err
	}))
	return all
}
