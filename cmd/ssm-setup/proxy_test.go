package main

import (
	"os"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/proxy"
)

// A proxy with a password is kept for the service of a root in a file for its owner alone, and shown without the password.
func TestAProxyIsKeptForTheServiceAndShownWithoutItsPassword(t *testing.T) {
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		t.Setenv(name, "")
	}
	r := published(t)
	activate(t, r)
	dir := root(t)
	s := ssmSetup("install", "--region", r.Name(), "--endpoint", r.URL(), "--root", dir, "--proxy", "proxy.example:3128")
	if s.code != exitUsage || !strings.Contains(s.err, "--proxy: ") {
		t.Errorf("without a scheme: %+v", s)
	}
	s = installInto(r, dir, "--proxy", "http://me:secret@proxy.example:3128") // the local region is on this machine: it is not asked
	if m := object(t, s); m["healthy"] != true || strings.Contains(s.out+s.err, "secret") {
		t.Errorf("%+v", s)
	}
	if info, err := os.Stat(proxy.File(installer.At(dir))); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v", info, err)
	}
	shown, _ := object(t, ssmSetup("status", "--json", "--root", dir))["proxy"].(string)
	if strings.Contains(shown, "secret") || !strings.HasSuffix(shown, "xxxxx@proxy.example:3128") {
		t.Errorf("%q", shown)
	}
}
