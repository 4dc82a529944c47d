//go:build integration

package build_test

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// real builds a format of a true release for every Linux.
func real(t *testing.T, format string) []string {
	t.Helper()
	source, err := build.Source(".")
	if err != nil {
		t.Fatal(err)
	}
	formats, err := pack.ParseFormats([]string{format})
	if err != nil {
		t.Fatal(err)
	}
	plan := build.Plan{Version: manifests.MustVersion("9.1.0.0"), Formats: formats, Source: source, Out: t.TempDir(),
		Time: time.Unix(1700000000, 0)}
	for _, p := range pack.Platforms() {
		if formats[0].File(p) != "" {
			plan.Platforms = append(plan.Platforms, p)
		}
	}
	made, err := build.Build(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, a := range made {
		files = append(files, filepath.Join(plan.Dir(), a.File))
	}
	return files
}

// lintian has nothing to say but what the package's own overrides explain, for each of Debian's four architectures.
func TestLintianAcceptsTheDebs(t *testing.T) {
	files := real(t, "deb")
	if len(files) != 4 {
		t.Errorf("%d packages", len(files))
	}
	out, err := exec.Command("lintian", append([]string{"--allow-root", "--fail-on", "error,warning"}, files...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// rpmlint has nothing to say but what its settings beside this test explain.
func TestRpmlintAcceptsTheRPMs(t *testing.T) {
	files := real(t, "rpm")
	if len(files) != 3 {
		t.Errorf("%d packages", len(files))
	}
	out, err := exec.Command("rpmlint", append([]string{"--strict", "--ignore-unused-rpmlintrc", "--rpmlintrc", "testdata/rpmlintrc"},
		files...)...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
