package build_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Nothing in the environment, and nothing that `go env -w` wrote, decides about the bytes; most of these would stop go, if it
// saw them.
func TestTheEnvironmentDecidesNothing(t *testing.T) {
	source, err := build.Source(".")
	if err != nil {
		t.Fatal(err)
	}
	compile := func() []byte {
		dir := t.TempDir()
		var said bytes.Buffer
		if err := build.Compile(t.Context(), source, build.First, amd64, []string{pack.Launcher}, dir, &said); err != nil {
			t.Fatalf("%v\n%s", err, &said)
		}
		b, err := os.ReadFile(filepath.Join(dir, pack.Launcher))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	before := compile()
	written := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(written, []byte("GOFLAGS=-tags=written\nGOAMD64=v3\nGOARM=7\nGO386=softfloat\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"GOENV": written, "GOFLAGS": "-mod=nonsense", "GOAMD64": "v4", "GOEXPERIMENT": "nonsense",
		"GOOS":   "plan9",
		"GOARCH": "nonsense", "CGO_ENABLED": "1", "CGO_CFLAGS": "-nonsense", "GOWORK": "/nowhere/go.work", "GO111MODULE": "off",
		"GOROOT_FINAL": "/elsewhere",
		"GOTOOLCHAIN":  "nonsense", "GOFIPS140": "latest", "GODEBUG": "execerrdot=0", "LANG": "de_DE.UTF-8", "TMPDIR": t.TempDir()} {
		t.Setenv(key, value)
	}
	if !bytes.Equal(before, compile()) {
		t.Error("the program differs")
	}
}

func TestABuildWithoutGoSaysSo(t *testing.T) {
	source, err := build.Source(".")
	if err != nil {
		t.Fatal(err)
	}
	plan := build.Plan{Version: manifests.MustVersion("9.1.0.0"), Platforms: []pack.Platform{amd64},
		Formats: []pack.Format{format(t, "setup")},
		Source:  source, Toolchain: "go1.99.9", Out: filepath.Join(t.TempDir(), "out"), Log: io.Discard}
	t.Setenv("GOPROXY", "off")
	if _, err := build.Build(t.Context(), plan); !errors.Is(err, build.ErrToolchain) {
		t.Errorf("a release that is not here: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := build.Build(t.Context(), plan); !errors.Is(err, build.ErrNoGo) {
		t.Errorf("no go: %v", err)
	}
	if _, err := os.Stat(plan.Out); err == nil {
		t.Error("the folder was made")
	}
}

// A folder vendor/ in the tree decides nothing: what is in it is not what go.sum names, and programs made from it do not carry the
// hashes of their modules.
func TestAVendorFolderDecidesNothing(t *testing.T) {
	source := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module github.com/ssm-setup/ssm-setup\n\ngo 1.25.0\n",
		"cmd/" + pack.Launcher +
			"/main.go": "package main\n\nfunc main() {}\n", "vendor/modules.txt": "# example.com/other v1.0.0\n## explicit\nexample.com/other\n"} {
		path := filepath.Join(source, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := build.Compile(t.Context(), source, build.First, amd64, []string{pack.Launcher}, t.TempDir(), io.Discard); err != nil {
		t.Error(err)
	}
}
