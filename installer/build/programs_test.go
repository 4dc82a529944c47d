package build_test

import (
	"context"
	"errors"
	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	amd64        = pack.Platform{OS: "linux", Arch: "amd64"}
	macIntel     = pack.Platform{OS: "darwin", Arch: "amd64"}
	macApple     = pack.Platform{OS: "darwin", Arch: "arm64"}
	macUniversal = pack.Platform{OS: "darwin", Arch: "universal"}
)

func windowsOn(arch string) pack.Platform { return pack.Platform{OS: "windows", Arch: arch} }

func format(t *testing.T, name string) pack.Format {
	t.Helper()
	list, err := pack.ParseFormats([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

func golden(t *testing.T, got []string, want string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.TrimSpace(want); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

// stamped builds a tiny stamped program for linux/amd64 under the names of the host binaries.
func stamped(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	os.WriteFile(source, []byte("package main\nimport \"github.com/ssm-setup/ssm-setup/installer/stamp\"\n"+
		"func main() { println(stamp.Version()) }\n"), 0o600)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags",
		"-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version="+version, "-o", filepath.Join(dir,
			pack.Launcher), source)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, pack.Launcher))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, pack.Worker), b, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestBuildPacksGivenPrograms(t *testing.T) {
	bin := stamped(t, "9.4.0.0")
	v := manifests.MustVersion("9.4.0.0")
	platforms, found, err := build.Found(bin)
	if err != nil || found != v || len(platforms) != 1 || platforms[0] != amd64 {
		t.Fatalf("%v, %v, %v", platforms, found, err)
	}
	out := t.TempDir()
	formats, _ := pack.ParseFormats([]string{"tar"})
	plan := build.Plan{Version: v, Platforms: platforms, Formats: formats, Bin: bin, Out: out, Time: time.Unix(1700000000, 0)}
	made, err := build.Build(context.Background(), plan)
	if err != nil || len(made) != 1 || made[0].File != "amazon-ssm-agent-portable-linux-amd64.tar.gz" {
		t.Fatalf("%v, %v", made, err)
	}
	list, _ := os.ReadDir(filepath.Join(out, "9.4.0.0"))
	if len(list) != 3 {
		t.Errorf("the folder holds %v", list)
	}
	plan.Version = manifests.MustVersion("3.3.0.0")
	if _, err := build.Build(context.Background(), plan); !errors.Is(err, build.ErrTooLow) {
		t.Errorf("3.3.0.0: %v", err)
	}
}

// A version that does not fit is refused before anything is compiled or written.
func TestAVersionThatAnMSICannotHaveIsRefusedFirst(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	_, err := build.Build(t.Context(), build.Plan{Version: manifests.MustVersion("9.1.0.1"), Platforms: []pack.Platform{windowsOn("amd64")},
		Formats: []pack.Format{format(t, "msi")}, Source: "/nowhere", Out: out})
	if _, statErr := os.Stat(out); !errors.Is(err, pack.ErrThreeParts) || statErr == nil {
		t.Errorf("%v, %v", err, statErr)
	}
}
