//go:build integration && unix

package main

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// A compiled ssm-setup carries the key of --trust, and so do the packages.
func TestACompiledToolCarriesTheKeyOfTrust(t *testing.T) {
	k, out := newKeys(t), t.TempDir()
	host := runtime.GOOS + "/" + runtime.GOARCH
	if s := ssmSetup("build", "--version", "9.1.0.0", "--source", "../..", "--platform", host, "--only", "setup", "--only", "tar", "--out",
		out,
		"--trust", k.file("public.asc")); s.code != 0 {
		t.Fatal(s)
	}
	key, err := os.ReadFile(k.file("public.asc"))
	must(t, err)
	program, err := os.ReadFile(filepath.Join(out, "9.1.0.0", "ssm-setup-"+runtime.GOOS+"-"+runtime.GOARCH))
	must(t, err)
	if !bytes.Contains(program, []byte(base64.StdEncoding.EncodeToString(key))) {
		t.Error("the program knows no key")
	}
	if got := members(t, filepath.Join(out, "9.1.0.0", manifests.PortableFile(runtime.GOOS,
		runtime.GOARCH)))[pack.KeyFile]; got != string(key) {
		t.Errorf("the archive has the key %q", got)
	}
}
