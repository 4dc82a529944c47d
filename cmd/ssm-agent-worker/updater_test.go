package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

func TestTheUpdatersCommandLine(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "request.json")
	if err := os.WriteFile(file, []byte(`{"id":"x","want":"9.2.0.0","allow_downgrade":true,"why":"document"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := parseOrder([]string{"run", "--want", ">=9.1", "--allow-downgrade", "--root", dir})
	if err != nil || o.subcommand != "run" || o.request.Want != ">=9.1" || !o.request.AllowDowngrade ||
		o.request.Why != ledger.ByCommandLine ||
		o.layout.Root != dir {
		t.Errorf("%+v, %v", o, err)
	}
	o, err = parseOrder([]string{"run", "--request", file, "--root", dir})
	if err != nil || o.request.ID != "x" || o.request.Want != "9.2.0.0" || o.request.Why != ledger.ByDocument {
		t.Errorf("%+v, %v", o, err)
	}
	for _, help := range []string{"--help", "-h", "help"} {
		if _, err := parseOrder([]string{help}); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%s: %v", help, err)
		}
	}
	for _, bad := range [][]string{{}, {"update"}, {"run", "--wont", "x"}, {"run", "more"}, {"resume", "--request", file + "x"}} {
		if _, err := parseOrder(bad); err == nil || errors.Is(err, flag.ErrHelp) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestTheRegionOfAManifestsAddress(t *testing.T) {
	for url, want := range map[string]string{
		"http://127.0.0.1:7700/amazon-ssm-local/ssm-agent-manifest.json":                  "local",
		"https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/ssm-agent-manifest.json": "eu-west-1",
		"":                            "",
		"https://mirror/other/x.json": "",
	} {
		if got := regionOf(url); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}
