package build_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// input has programs that are no programs: packing does not look at them.
func input(t *testing.T, p pack.Platform) pack.Input {
	t.Helper()
	bin := t.TempDir()
	for _, name := range []string{pack.Launcher, pack.Worker, pack.Setup, pack.Carrier} {
		if err := os.WriteFile(filepath.Join(bin, p.Executable(name)), []byte("program "+name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return pack.Input{Version: manifests.MustVersion("9.1.0.0"), Platform: p, Bin: bin, Time: time.Unix(1700000000, 0)}
}

func TestTheIndexListsEveryArtifact(t *testing.T) {
	dir := t.TempDir()
	in := input(t, amd64)
	made := 0
	for _, f := range pack.Formats() {
		if f.File(amd64) == "" {
			continue
		}
		made++
		if _, err := pack.Make(f, in, dir); err != nil {
			t.Fatal(err)
		}
	}
	os.WriteFile(filepath.Join(dir, "something.else"), nil, 0o600)
	if err := build.Index(dir, in.Version); err != nil {
		t.Fatal(err)
	}
	sums, _ := os.ReadFile(filepath.Join(dir, build.SumsFile))
	if n := bytes.Count(sums, []byte("\n")); n != made {
		t.Errorf("%d sums:\n%s", n, sums)
	}
	content, _ := os.ReadFile(filepath.Join(dir, build.ManifestFile))
	m, err := manifests.ParseManifest(content)
	if err != nil {
		t.Fatal(err)
	}
	for pkg, file := range map[string]string{"amazon-ssm-agent": "amazon-ssm-agent-portable-linux-amd64.tar.gz",
		"ssm-setup": "ssm-setup-linux-amd64"} {
		l, err := m.Listing(pkg, file)
		if err != nil {
			t.Fatal(err)
		}
		entry, ok := l.Find(in.Version)
		if !ok || !strings.Contains(string(sums), entry.Checksum+"  "+file+"\n") || entry.Size == 0 {
			t.Errorf("%s: %+v", file, entry)
		}
	}
}
