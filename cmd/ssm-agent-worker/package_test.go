package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/config"
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

// What a package's properties say goes to the worker as it is, also where a property is empty.
func TestAPackageWritesTheSourceThatItsPropertiesName(t *testing.T) {
	for _, c := range []struct {
		args   []string
		source string // Agent.UpdateSource
		named  string // Agent.PackageSource
		fault  string
	}{
		{[]string{"-allow-insecure=", "-source", ""}, "https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/ssm-agent-manifest.json", "", ""},
		{[]string{"-source", "https://mirror.example"}, "https://mirror.example/amazon-ssm-eu-west-1/ssm-agent-manifest.json",
			"https://mirror.example", ""},
		{[]string{"-source", "http://mirror.example"}, "", "", "plain http to another machine"},
		{[]string{"-allow-insecure=", "-source", "http://mirror.example"}, "", "", "plain http to another machine"},
		{[]string{"-allow-insecure=no", "-source", "http://mirror.example"}, "", "", "plain http to another machine"},
		{[]string{"-allow-insecure=1", "-source", "http://mirror.example"}, "http://mirror.example/amazon-ssm-eu-west-1/ssm-agent-manifest.json",
			"http://mirror.example", ""},
		{[]string{"-allow-insecure=Yes", "-source", "http://mirror.example"},
			"http://mirror.example/amazon-ssm-eu-west-1/ssm-agent-manifest.json", "http://mirror.example", ""},
		{[]string{"-source", "http://127.0.0.1:7700"}, "http://127.0.0.1:7700/amazon-ssm-eu-west-1/ssm-agent-manifest.json",
			"http://127.0.0.1:7700", ""},
		{[]string{"-allow-insecure=perhaps"}, "", "", "it takes 1 or nothing"},
		{[]string{"-source", "some/folder"}, "", "", "no whole path"},
		{[]string{"-source", "https://"}, "", "", "no address"},
		{[]string{"-region", "", "-source", "https://mirror.example"}, "", "", "a source is one of a region"},
	} {
		l := installer.At(t.TempDir())
		os.MkdirAll(filepath.Dir(l.ConfigFile()), 0o755)
		err := packageSettings(l, append([]string{"-region", "eu-west-1", "-endpoint", ""}, c.args...))
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%q: %v", c.args, err)
			}
			if left, _ := filepath.Glob(l.ConfigFile() + "*"); len(left) != 0 {
				t.Errorf("%q: refused, and there is %v", c.args, left)
			}
			continue
		}
		cfg, fault := config.Load(l.ConfigFile())
		if err != nil || fault != nil || cfg.Agent.UpdateSource != c.source || cfg.Agent.PackageSource != c.named {
			t.Errorf("%q: %v, %v, %q and %q", c.args, err, fault, cfg.Agent.UpdateSource, cfg.Agent.PackageSource)
		}
		again := []string{"-region", "eu-west-1", "-endpoint", "", "-source", c.named} // an upgrade
		if err := packageSettings(l, again); err != nil {
			t.Errorf("%q again: %v", c.args, err)
		}
	}
}

// Windows reads "D:\mirror\" on a command line as a text with a quote at its end.
func TestAFolderWithABackslashAtItsEndIsASource(t *testing.T) {
	dir := t.TempDir()
	l := installer.At(dir)
	os.MkdirAll(filepath.Dir(l.ConfigFile()), 0o755)
	set, err := sourceSettings(l, dir+`/mirror"`, "eu-west-1", "", false)
	if got := fmt.Sprint(set["Agent.PackageSource"]); err != nil || got != dir+`/mirror\` {
		t.Errorf("%s, %v", got, err)
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
