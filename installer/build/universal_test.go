package build_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"debug/macho"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/container/cpio"
	ours "github.com/ssm-setup/ssm-setup/installer/container/macho"
	"github.com/ssm-setup/ssm-setup/installer/container/xar"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// macs builds tiny stamped programs into dir/darwin_amd64 and dir/darwin_arm64.
func macs(t *testing.T, versions map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	os.WriteFile(source, []byte("package main\nimport \"github.com/ssm-setup/ssm-setup/installer/stamp\"\n"+
		"func main() { println(stamp.Version()) }\n"), 0o600)
	for arch, version := range versions {
		bin := filepath.Join(dir, "darwin_"+arch)
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags",
			"-s -w -X github.com/ssm-setup/ssm-setup/installer/stamp.mark=ssm-setup-version="+version, "-o", filepath.Join(bin,
				pack.Launcher), source)
		cmd.Env = append(os.Environ(), "GOOS=darwin", "GOARCH="+arch, "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		b, err := os.ReadFile(filepath.Join(bin, pack.Launcher))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(bin, pack.Worker), b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// payloadFile is a file of a macOS package.
func payloadFile(t *testing.T, pkg []byte, name string) string {
	t.Helper()
	r, err := xar.Open(bytes.NewReader(pkg), int64(len(pkg)))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.Files, func(e xar.Entry) bool { return e.Name == "amazon-ssm-agent.pkg/Payload" })
	if i < 0 {
		t.Fatal("no payload")
	}
	payload, err := r.Read(r.Files[i], 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(payload))
	if err != nil {
		t.Fatal(err)
	}
	for c := cpio.NewReader(z); ; {
		e, err := c.Next()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if e.Name == name {
			b, err := io.ReadAll(c)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
	}
}

// One build makes the packages of both architectures and the universal one, whose programs hold the linker's bytes and an
// intact signature.
func TestOneBuildMakesAllPackagesForMacOS(t *testing.T) {
	bin := macs(t, map[string]string{"amd64": "9.4.0.0", "arm64": "9.4.0.0"})
	platforms, v, err := build.Found(bin)
	if err != nil || !slices.Equal(platforms, []pack.Platform{macIntel, macApple, macUniversal}) {
		t.Fatalf("%v, %v", platforms, err)
	}
	formats, _ := pack.ParseFormats([]string{"pkg", "tar"})
	plan := build.Plan{Version: v, Platforms: platforms, Formats: formats, Bin: bin, Out: t.TempDir(), Time: time.Unix(1700000000, 0)}
	made, err := build.Build(context.Background(), plan)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, a := range made {
		files = append(files, a.File)
	}
	slices.Sort(files)
	golden(t, files, `
amazon-ssm-agent-darwin-amd64.pkg
amazon-ssm-agent-darwin-arm64.pkg
amazon-ssm-agent-darwin-universal.pkg
amazon-ssm-agent-portable-darwin-amd64.tar.gz
amazon-ssm-agent-portable-darwin-arm64.tar.gz
`)
	whole, err := os.ReadFile(filepath.Join(plan.Dir(), "amazon-ssm-agent-darwin-universal.pkg"))
	if err != nil {
		t.Fatal(err)
	}
	program := payloadFile(t, whole, "./opt/aws/ssm/bin/ssm-agent-worker")
	fat, err := macho.NewFatFile(strings.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	for i, arch := range []string{"amd64", "arm64"} {
		want, _ := os.ReadFile(filepath.Join(bin, "darwin_"+arch, pack.Worker))
		slice := program[fat.Arches[i].Offset:][:fat.Arches[i].Size]
		if slice != string(want) {
			t.Errorf("%s: the linker's bytes were touched", arch)
		}
		if _, err := ours.Check(strings.NewReader(slice)); arch == "arm64" && err != nil {
			t.Error(err)
		}
	}
}

// A program for Apple silicon that was changed after linking would be killed at its start: it is not packed.
func TestAChangedProgramForAppleSiliconIsRefused(t *testing.T) {
	bin := macs(t, map[string]string{"amd64": "9.4.0.0", "arm64": "9.4.0.0"})
	worker := filepath.Join(bin, "darwin_arm64", pack.Worker)
	b, err := os.ReadFile(worker)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(worker, b, 0o755); err != nil {
		t.Fatal(err)
	}
	formats, _ := pack.ParseFormats([]string{"pkg"})
	for _, p := range []pack.Platform{macApple, macUniversal} {
		plan := build.Plan{Version: manifests.MustVersion("9.4.0.0"), Platforms: []pack.Platform{p}, Formats: formats, Bin: bin, Out: t.TempDir()}
		if _, err := build.Build(context.Background(), plan); !errors.Is(err, pack.ErrPlatform) || !errors.Is(err, ours.ErrChanged) {
			t.Errorf("%s: %v", p, err)
		}
	}
	plan := build.Plan{Version: manifests.MustVersion("9.4.0.0"), Platforms: []pack.Platform{macUniversal}, Formats: formats,
		Bin: macs(t, map[string]string{"arm64": "9.4.0.0"}), Out: t.TempDir()}
	if _, err := build.Build(context.Background(), plan); !errors.Is(err, pack.ErrNoBinary) {
		t.Errorf("half is missing: %v", err)
	}
	mixed := macs(t, map[string]string{"amd64": "9.4.0.0", "arm64": "9.5.0.0"})
	plan.Bin = mixed
	if _, err := build.Build(context.Background(), plan); !errors.Is(err, pack.ErrVersion) {
		t.Errorf("two versions in one: %v", err)
	}
}
