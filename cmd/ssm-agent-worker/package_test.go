package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

func TestSettingsOfAPackageAreWrittenAndUndone(t *testing.T) {
	l := installer.At(t.TempDir())
	path := l.ConfigFile()
	must := func(args ...string) string {
		t.Helper()
		if err := packageSettings(l, args); err != nil {
			t.Fatal(err)
		}
		b, _ := os.ReadFile(path)
		return string(b)
	}
	os.MkdirAll(filepath.Dir(path), 0o755)
	first := must("-region", "eu-west-1", "-endpoint", "http://127.0.0.1:7700")
	for _, want := range []string{`"UpdateSource"`, "http://127.0.0.1:7700/amazon-ssm-eu-west-1/ssm-agent-manifest.json", `"Ssm"`, `"S3"`} {
		if !strings.Contains(first, want) {
			t.Errorf("no %s in %s", want, first)
		}
	}
	if got := must("-undo"); got != "" {
		t.Errorf("where there were no settings, there is %s", got)
	}
	must("-region", "eu-west-1")
	must("-keep")
	kept := must("-undo") // nothing to undo any more
	if changed := must("-endpoint", "other.example"); changed == kept || !strings.Contains(changed, "https://other.example") {
		t.Errorf("settings %s", changed)
	}
	if got := must("-undo"); got != kept {
		t.Errorf("undone to %s, not to %s", got, kept)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAPackageTakesNoNewInsecureAddress(t *testing.T) {
	l := installer.At(t.TempDir())
	os.MkdirAll(filepath.Dir(l.ConfigFile()), 0o755)
	args := []string{"-region", "eu-west-1", "-endpoint", "http://mirror.example"}
	if err := packageSettings(l, args); !errors.Is(err, regions.ErrInsecure) {
		t.Errorf("new: %v", err)
	}
	if err := packageSettings(l, append(args, "-allow-insecure")); err != nil {
		t.Errorf("allowed: %v", err)
	}
	if err := packageSettings(l, args); err != nil {
		t.Errorf("known: %v", err)
	}
}

func TestForgettingLeavesDataAndRegistration(t *testing.T) {
	l := installer.At(t.TempDir())
	for _, path := range []string{l.Store("9.1.0.0") + "/x", l.Ledger(), l.Registration(), l.Vault() + "/x"} {
		os.MkdirAll(filepath.Dir(path), 0o755)
		os.WriteFile(path, []byte("x"), 0o600)
	}
	if err := packageForget(l); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{l.StoreDir(): false, l.Ledger(): false, l.Registration(): true, l.Vault() + "/x": true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestLinksInTheDataFolderAreRefused(t *testing.T) {
	dir := t.TempDir()
	amazon := filepath.Join(dir, "Amazon")
	if err := checkLinks(amazon, false); err != nil {
		t.Errorf("nothing there: %v", err)
	}
	os.MkdirAll(filepath.Join(amazon, "SSM", "deep"), 0o755)
	if err := checkLinks(amazon, false); err != nil {
		t.Errorf("no links: %v", err)
	}
	link := filepath.Join(amazon, "SSM", "deep", "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if err := checkLinks(amazon, false); err == nil || err.Error() != "Forbidden links at: ["+link+"]" {
		t.Errorf("a link: %v", err)
	}
	if err := checkLinks(amazon, true); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(link); err == nil {
		t.Error("the link is still there")
	}
	top := filepath.Join(dir, "top")
	os.Symlink(amazon, top)
	if err := checkLinks(top, false); err == nil || err.Error() != "Forbidden link at: "+top {
		t.Errorf("the folder itself: %v", err)
	}
}

// The first update finds its slots, and a second installation changes nothing of them.
func TestAFirstUpdateFindsItsSlots(t *testing.T) {
	l := installer.At(t.TempDir())
	read := func() (all string) {
		t.Helper()
		if err := packagePrepare(l); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			b, err := os.ReadFile(l.Pointer().Slot(i))
			if err != nil {
				t.Fatal(err)
			}
			all += string(b)
		}
		return all
	}
	first := read()
	if first == "" || first != read() {
		t.Error("the slots changed")
	}
	lock, err := installer.LockUpdate(l)
	if err != nil {
		t.Fatalf("the lock was kept: %v", err)
	}
	defer lock.Release()
	if err := packagePrepare(l); err != nil {
		t.Errorf("while an update is under way: %v", err)
	}
}

// A package's registration takes what was written down, all of it or nothing, and asks no question.
func TestAPackageRegistersWithWhatItWroteDown(t *testing.T) {
	region := local.Start(t)
	id, code, err := region.CreateActivation(1)
	if err != nil {
		t.Fatal(err)
	}
	l := installer.At(t.TempDir())
	here := func() (installer.Layout, error) { return l, nil }
	for _, part := range []activationNote{{}, {region: "local", id: id}, {region: "local", code: code}, {id: id, code: code}} {
		if err := registerWith(t.Context(), part, here, io.Discard, io.Discard); !errors.Is(err, errNoActivation) {
			t.Errorf("%+v: %v", part, err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(l.ConfigFile()), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := packageSettings(l, []string{"-region", "local", "-endpoint", region.URL()}); err != nil {
		t.Fatal(err)
	}
	var out, fault strings.Builder
	if err := registerWith(t.Context(), activationNote{"local", id, code}, here, &out, &fault); err != nil || len(region.Instances()) != 1 {
		t.Errorf("%v, %d nodes\n%s%s", err, len(region.Instances()), out.String(), fault.String())
	}
	if strings.Contains(out.String()+fault.String(), code) {
		t.Error("the code is in what is printed")
	}
}
