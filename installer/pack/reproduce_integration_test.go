//go:build integration

package pack_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// The same source compiled in another folder, with other flags around, gives the same packages.
func TestSameSourceSameBytes(t *testing.T) {
	source, err := pack.Source(".")
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "another", "folder")
	copySource(t, source, other)
	formats, err := pack.ParseFormats([]string{"deb", "rpm", "tar", "update-ubuntu"})
	if err != nil {
		t.Fatal(err)
	}
	build := func(source string) string {
		plan := pack.Plan{Version: manifests.MustVersion("9.1.0.0"), Platforms: []pack.Platform{amd64}, Formats: formats, Source: source,
			Out: t.TempDir(), Time: time.Unix(1700000000, 0)}
		if _, err := pack.Build(t.Context(), plan); err != nil {
			t.Fatal(err)
		}
		sums, err := os.ReadFile(filepath.Join(plan.Dir(), pack.SumsFile))
		if err != nil {
			t.Fatal(err)
		}
		return string(sums)
	}
	first := build(source)
	for key, value := range map[string]string{"GOFLAGS": "-tags=other", "GOAMD64": "v3", "TZ": "Asia/Tokyo", "HOSTNAME": "other"} {
		t.Setenv(key, value)
	}
	if second := build(other); second != first {
		t.Errorf("%s\n%s", first, second)
	}
}

// copySource copies the files under version control, without the repository.
func copySource(t *testing.T, from, to string) {
	t.Helper()
	list, err := exec.Command("git", "-C", from, "ls-files", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(string(list)) {
		in, err := os.Open(filepath.Join(from, name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		_, err = io.Copy(&b, in)
		in.Close()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(to, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// lintian has nothing to say but what the package's own overrides explain.
func TestLintian(t *testing.T) {
	source, err := pack.Source(".")
	if err != nil {
		t.Fatal(err)
	}
	formats, err := pack.ParseFormats([]string{"deb"})
	if err != nil {
		t.Fatal(err)
	}
	plan := pack.Plan{Version: manifests.MustVersion("9.1.0.0"), Platforms: []pack.Platform{amd64, {OS: "linux", Arch: "386"}}, Formats: formats, Source: source,
		Out: t.TempDir(), Time: time.Unix(1700000000, 0)}
	made, err := pack.Build(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range made {
		out, err := exec.Command("lintian", "--allow-root", "--fail-on", "error,warning", filepath.Join(plan.Dir(), a.File)).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", a.File, err, out)
		}
	}
}
