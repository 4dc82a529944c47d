package pack_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Names and members are spec update 4.7; the originals' updaters look for exactly these.
func TestUpdateArchives(t *testing.T) {
	const rpms, debs = "amazon-ssm-agent.rpm install.sh uninstall.sh", "amazon-ssm-agent.deb install.sh uninstall.sh snap-install.sh snap-uninstall.sh"
	for _, c := range []struct{ format, platform, file, members string }{
		{"update", "linux/amd64", "amazon-ssm-agent-linux-amd64.tar.gz", rpms},
		{"update", "linux/386", "amazon-ssm-agent-linux-386.tar.gz", rpms},
		{"update", "linux/arm64", "amazon-ssm-agent-linux-arm64.tar.gz", rpms},
		{"update", "linux/arm", "", ""},
		{"update-ubuntu", "linux/amd64", "amazon-ssm-agent-ubuntu-amd64.tar.gz", debs},
		{"update-ubuntu", "linux/386", "amazon-ssm-agent-ubuntu-386.tar.gz", debs},
		{"update-ubuntu", "linux/arm", "amazon-ssm-agent-ubuntu-arm.tar.gz", debs},
		{"update-ubuntu", "windows/amd64", "", ""},
		{"updater", "linux/amd64", "amazon-ssm-agent-updater-linux-amd64.tar.gz", "updater"},
		{"updater", "darwin/arm64", "amazon-ssm-agent-updater-darwin-arm64.tar.gz", "updater"},
		{"updater", "windows/386", "amazon-ssm-agent-updater-windows-386.zip", "updater.exe"},
		{"updater-ubuntu", "linux/arm", "amazon-ssm-agent-updater-ubuntu-arm.tar.gz", "updater"},
		{"update", "windows/amd64", "amazon-ssm-agent-windows-amd64.zip", "AmazonSSMAgentSetup.exe install.ps1 uninstall.ps1"},
		{"update-nano", "windows/amd64", "amazon-ssm-agent-windows-nano-amd64.zip", "package.zip install.ps1 uninstall.ps1"},
		{"update-nano", "windows/386", "", ""},
		{"updater-nano", "windows/amd64", "amazon-ssm-agent-updater-windows-nano-amd64.zip", "updater.exe"},
		{"tar", "windows/arm64", "amazon-ssm-agent-portable-windows-arm64.zip",
			"amazon-ssm-agent.exe ssm-agent-worker.exe amazon-ssm-agent.json.template seelog.xml.template RELEASENOTES.md README.md NOTICE.md LICENSE"},
	} {
		p, err := pack.ParsePlatform(c.platform)
		if err != nil {
			t.Fatal(err)
		}
		f := format(t, c.format)
		if got := f.File(p); got != c.file {
			t.Errorf("%s for %s is %q, want %q", c.format, p, got, c.file)
		}
		if c.file == "" {
			continue
		}
		in := input(t, p)
		names, content := flat(t, c.file, make1(t, c.format, in))
		if strings.Join(names, " ") != c.members {
			t.Errorf("%s holds %v", c.file, names)
		}
		for _, inner := range []string{"rpm", "deb"} {
			if got, ok := content["amazon-ssm-agent."+inner]; ok && !bytes.Equal(got, make1(t, inner, in)) {
				t.Errorf("%s carries another %s than a build makes", c.file, inner)
			}
		}
		for name, b := range content {
			if strings.HasSuffix(name, ".sh") && !bytes.HasPrefix(b, []byte("#!/bin/sh\n")) {
				t.Errorf("%s begins with %.20q", name, b)
			}
			if strings.HasPrefix(name, "updater") && string(b) != "program ssm-agent-worker" {
				t.Errorf("%s is %q", name, b)
			}
		}
	}
}

// flat reads an archive whose members all lie at its top level.
func flat(t *testing.T, file string, b []byte) (names []string, content map[string][]byte) {
	t.Helper()
	content = map[string][]byte{}
	if strings.HasSuffix(file, ".zip") {
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, f.Name)
			if content[f.Name], err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
		return names, content
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return names, content
		}
		if err != nil {
			t.Fatal(err)
		}
		if want := int64(0o755); (strings.HasSuffix(h.Name, ".sh") || h.Name == "updater") && h.Mode != want {
			t.Errorf("%s: mode %o", h.Name, h.Mode)
		}
		names = append(names, h.Name)
		content[h.Name], _ = io.ReadAll(r)
	}
}

// The package in an update archive is not compressed a second time.
func TestUpdateStoresThePackage(t *testing.T) {
	in := input(t, amd64)
	if whole, deb := make1(t, "update-ubuntu", in), make1(t, "deb", in); !bytes.Contains(whole, deb[:4096]) {
		t.Error("the deb was compressed again")
	}
}

func TestKeys(t *testing.T) {
	v := manifests.MustVersion("9.1.0.0")
	fixed, latest := format(t, "setup").Keys(v, amd64)
	wantFixed := []string{"ssm-setup/9.1.0.0/ssm-setup-linux-amd64", "9.1.0.0/linux_amd64/ssm-setup", "9.1.0.0/linux_amd64/ssm-setup-cli", "9.1.0.0/debian_amd64/ssm-setup-cli"}
	wantLatest := []string{"latest/linux_amd64/ssm-setup", "latest/linux_amd64/ssm-setup-cli", "latest/debian_amd64/ssm-setup-cli"}
	if !slices.Equal(fixed, wantFixed) || !slices.Equal(latest, wantLatest) {
		t.Errorf("%v\n%v", fixed, latest)
	}
	fixed, latest = format(t, "updater").Keys(v, amd64)
	const file = "amazon-ssm-agent-updater-linux-amd64.tar.gz"
	if !slices.Equal(fixed, []string{"amazon-ssm-agent-updater/9.1.0.0/" + file}) || !slices.Equal(latest, []string{"amazon-ssm-agent-updater/latest/" + file}) {
		t.Errorf("%v\n%v", fixed, latest)
	}
}
