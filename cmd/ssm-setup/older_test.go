package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// listElsewhere has a region list a version for a system that no test runs on.
func listElsewhere(t *testing.T, r *local.Region, pkg, version string) {
	t.Helper()
	text, err := r.Get(regions.ManifestKey)
	must(t, err)
	m, err := manifests.ParseManifest(text)
	must(t, err)
	entry := manifests.FileVersion{Version: version, Checksum: strings.Repeat("0", 64)}
	m.Add(pkg, "amazon-ssm-agent-portable-plan9-mips.tar.gz", entry)
	r.Put(regions.ManifestKey, m.Bytes())
}

// Where the newest version has no package for this system, an older one is taken. Each command that does so says it, with --quiet and
// as data, too.
func TestAnOlderPackageThatIsChosenIsSaid(t *testing.T) {
	const words = "warning: the newest version is 9.9.0.0, which has no package for this system: 9.1.0.0 is the newest that has one"
	r := published(t)
	activate(t, r)
	listElsewhere(t, r, manifests.AgentPackage, "9.9.0.0")
	dir := root(t)
	place := []string{"--region", r.Name(), "--endpoint", r.URL(), "--root", dir}
	for _, args := range [][]string{append([]string{"install", "--quiet", "--dry-run"}, place...),
		append([]string{"install", "--quiet"}, place...), {"update", "--quiet", "--check", "--root", dir},
		{"update", "--quiet", "--check", "--version", ">=9.1", "--root", dir}} {
		if s := ssmSetup(args...); s.code != 0 ||
			!strings.Contains(s.out+s.err, strings.TrimPrefix(words, "warning: ")) {
			t.Errorf("%v: %+v", args, s)
		}
	}
	if s := ssmSetup("update", "--root", dir); s.code != 0 || !strings.Contains(s.out+s.err, strings.TrimPrefix(words, "warning: ")) {
		t.Errorf("%+v", s)
	}
	if s := ssmSetup("update", "--check", "--version", "9.1.0.0", "--root", dir); strings.Contains(s.err, "9.9.0.0") {
		t.Errorf("a version that is named was not chosen: %+v", s)
	}
	for _, args := range [][]string{{"update", "--check", "--json", "--root", dir}, {"update", "--json", "--root", dir}} {
		var answer map[string]any
		if s := ssmSetup(args...); json.Unmarshal([]byte(s.out), &answer) != nil || answer["newer_elsewhere"] != "9.9.0.0" {
			t.Errorf("%v: %+v", args, s)
		}
	}
	out := t.TempDir()
	bin := t.TempDir()
	link(t, filepath.Join(bin, pack.Setup), "9.0.0.0")
	if s := ssmSetup("build", "--version", "9.0.0.0", "--bin", bin, "--platform", runtime.GOOS+"/"+runtime.GOARCH, "--only", "setup", "--out",
		out); s.code != 0 {
		t.Fatal(s)
	}
	if s := ssmSetup("publish", "--from", out, "--region", r.Name(), "--endpoint", r.URL()); s.code != 0 {
		t.Fatal(s)
	}
	listElsewhere(t, r, pack.SetupPackage, "9.9.0.0")
	if s := ssmSetup("self-update", "--dry-run", "--region", r.Name(), "--endpoint", r.URL()); s.code != 0 ||
		!strings.Contains(s.err, "warning: the newest version is 9.9.0.0, which has no package for this system: 9.0.0.0 is") {
		t.Errorf("%+v", s)
	}
	must(t, os.Mkdir(filepath.Join(out, "9.8.0.0"), 0o755))
	if s := ssmSetup("publish", "--quiet", "--dry-run", "--from", out, "--region", r.Name(), "--endpoint", r.URL()); s.code != 0 ||
		!strings.Contains(s.err, "warning: 9.8.0.0 of "+out+" holds no release: 9.0.0.0 is published, the newest that is one") {
		t.Errorf("%+v", s)
	}
}
