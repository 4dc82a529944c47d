//go:build unix

package build_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// go tells of a full disk in words only; the caller of Build can tell it from other faults all the same. What go said is in the
// error, and nothing is left behind.
func TestACompilerOnAFullDiskIsToldFromOtherFaults(t *testing.T) {
	source, err := build.Source(".")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := "#!/bin/sh\n[ $1 = env ] && echo {} && exit\necho compile: writing x.a: no space left on device >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	plan := build.Plan{Version: manifests.MustVersion("9.1.0.0"), Platforms: []pack.Platform{amd64, windowsOn("amd64")},
		Formats: pack.Formats(), Source: source,
		Out: filepath.Join(t.TempDir(), "out")}
	_, err = build.Build(t.Context(), plan)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "compile: writing x.a") {
		t.Errorf("%v", err)
	}
	if exists(plan.Out) {
		t.Error("something was left behind")
	}
}

func exists(path string) bool { _, err := os.Lstat(path); return err == nil }
