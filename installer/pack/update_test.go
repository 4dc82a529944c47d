package pack_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Names and members are docs/protocol/update.md, "Archives for the updater"; the originals' updaters look for exactly these.
func TestUpdateArchivesHoldWhatUpdatersLookFor(t *testing.T) {
	const (
		rpms  = "amazon-ssm-agent.rpm install.sh uninstall.sh"
		debs  = "amazon-ssm-agent.deb install.sh uninstall.sh"
		snaps = "snap-install.sh snap-uninstall.sh"
	)
	const rooted, setup = "amazon-ssm-agent.tar.gz install.sh uninstall.sh", "AmazonSSMAgentSetup.exe install.ps1 uninstall.ps1"
	var known []string
	for _, c := range []struct{ format, platform, file, members string }{
		{"update", "linux/amd64", "amazon-ssm-agent-linux-amd64.tar.gz", rpms},
		{"update", "linux/386", "amazon-ssm-agent-linux-386.tar.gz", rpms},
		{"update", "linux/arm64", "amazon-ssm-agent-linux-arm64.tar.gz", rpms},
		{"update-ubuntu", "linux/amd64", "amazon-ssm-agent-ubuntu-amd64.tar.gz", debs + " " + snaps},
		{"update-ubuntu", "linux/arm64", "amazon-ssm-agent-ubuntu-arm64.tar.gz", debs + " " + snaps},
		{"update-ubuntu", "linux/386", "amazon-ssm-agent-ubuntu-386.tar.gz", debs},
		{"update-ubuntu", "linux/arm", "amazon-ssm-agent-ubuntu-arm.tar.gz", debs},
		{"update-snap", "linux/amd64", "amazon-ssm-agent-snap-amd64.tar", snaps},
		{"update-snap", "linux/arm64", "amazon-ssm-agent-snap-arm64.tar", snaps},
		{"update", "darwin/amd64", "amazon-ssm-agent-darwin-amd64.tar.gz", rooted},
		{"update", "darwin/arm64", "amazon-ssm-agent-darwin-arm64.tar.gz", rooted},
		{"update", "windows/amd64", "amazon-ssm-agent-windows-amd64.zip", setup},
		{"update", "windows/386", "amazon-ssm-agent-windows-386.zip", setup},
		{"updater", "linux/amd64", "amazon-ssm-agent-updater-linux-amd64.tar.gz", "updater"},
		{"updater", "linux/386", "amazon-ssm-agent-updater-linux-386.tar.gz", "updater"},
		{"updater", "linux/arm64", "amazon-ssm-agent-updater-linux-arm64.tar.gz", "updater"},
		{"updater", "darwin/amd64", "amazon-ssm-agent-updater-darwin-amd64.tar.gz", "updater"},
		{"updater", "darwin/arm64", "amazon-ssm-agent-updater-darwin-arm64.tar.gz", "updater"},
		{"updater", "windows/amd64", "amazon-ssm-agent-updater-windows-amd64.zip", "updater.exe"},
		{"updater", "windows/386", "amazon-ssm-agent-updater-windows-386.zip", "updater.exe"},
		{"updater-ubuntu", "linux/amd64", "amazon-ssm-agent-updater-ubuntu-amd64.tar.gz", "updater"},
		{"updater-ubuntu", "linux/386", "amazon-ssm-agent-updater-ubuntu-386.tar.gz", "updater"},
		{"updater-ubuntu", "linux/arm", "amazon-ssm-agent-updater-ubuntu-arm.tar.gz", "updater"},
		{"updater-ubuntu", "linux/arm64", "amazon-ssm-agent-updater-ubuntu-arm64.tar.gz", "updater"},
		{"updater-snap", "linux/amd64", "amazon-ssm-agent-updater-snap-amd64.tar.gz", "updater"},
		{"updater-snap", "linux/arm64", "amazon-ssm-agent-updater-snap-arm64.tar.gz", "updater"},
		{"update-nano", "windows/amd64", "amazon-ssm-agent-windows-nano-amd64.zip", "package.zip install.ps1 uninstall.ps1"},
		{"updater-nano", "windows/amd64", "amazon-ssm-agent-updater-windows-nano-amd64.zip", "updater.exe"},
		{"binaries", "linux/amd64", "amazon-ssm-agent-binaries-linux-amd64.tar.gz",
			"amazon-ssm-agent ssm-agent-worker ssm-cli ssm-document-worker ssm-session-worker ssm-session-logger"},
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
		known = append(known, c.file)
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
	for _, f := range pack.Formats() {
		for _, p := range pack.Platforms() {
			if file := f.File(p); strings.HasPrefix(f.Name, "update") && file != "" && !slices.Contains(known, file) {
				t.Errorf("%s is no name that an original asks for", file)
			}
		}
	}
}

// The files of a snap are put in where both lie beside the programs (99).
func TestAnUpdateHoldsASnapOnlyIfBothItsFilesAreThere(t *testing.T) {
	in := input(t, amd64)
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(filepath.Join(in.Bin, "amazon-ssm-agent.snap"), []byte("snap"), 0o600))
	if names, _ := flat(t, "x.tar", make1(t, "update-snap", in)); len(names) != 2 {
		t.Errorf("half a snap: %v", names)
	}
	must(os.WriteFile(filepath.Join(in.Bin, "amazon-ssm-agent.assert"), []byte("assert"), 0o600))
	for format, members := range map[string]string{"update-snap": "snap-install.sh snap-uninstall.sh amazon-ssm-agent.snap amazon-ssm-agent.assert",
		"update-ubuntu": "amazon-ssm-agent.deb install.sh uninstall.sh snap-install.sh snap-uninstall.sh amazon-ssm-agent.snap amazon-ssm-agent.assert"} {
		names, content := flat(t, formatFile(t, format), make1(t, format, in))
		if strings.Join(names, " ") != members || string(content["amazon-ssm-agent.snap"]) != "snap" ||
			string(content["amazon-ssm-agent.assert"]) != "assert" {
			t.Errorf("%s holds %v", format, names)
		}
	}
}

func formatFile(t *testing.T, name string) string { return format(t, name).File(amd64) }

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
	var plain io.Reader = bytes.NewReader(b)
	if strings.HasSuffix(file, ".gz") {
		z, err := gzip.NewReader(plain)
		if err != nil {
			t.Fatal(err)
		}
		plain = z
	}
	for r := tar.NewReader(plain); ; {
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

// The package in an update archive is not compressed a second time: every block of the gzip is a stored one, the zip's member too.
func TestAnUpdateDoesNotCompressItsPackageAgain(t *testing.T) {
	for name, platform := range map[string]string{"update": "linux/amd64", "update-ubuntu": "linux/amd64", "update ": "darwin/arm64"} {
		p, err := pack.ParsePlatform(platform)
		if err != nil {
			t.Fatal(err)
		}
		b := make1(t, strings.TrimSpace(name), input(t, p))
		data := b[10:]                                             // behind the header, which has no names
		for !bytes.Equal(data[:min(2, len(data))], []byte{3, 0}) { // what ends it: an empty block
			length, complement := binary.LittleEndian.Uint16(data[1:]), binary.LittleEndian.Uint16(data[3:])
			if data[0] != 0 || length != ^complement {
				t.Fatalf("%s for %s: a block is compressed", name, platform)
			}
			data = data[5+int(length):]
		}
		if len(data) != 10 {
			t.Errorf("%s for %s: %d bytes behind the last block", name, platform, len(data))
		}
	}
	for format, inner := range map[string]string{"update": "AmazonSSMAgentSetup.exe", "update-nano": "package.zip"} {
		b := make1(t, format, input(t, pack.Platform{OS: "windows", Arch: "amd64"}))
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if f := z.File[0]; f.Name != inner || f.Method != zip.Store {
			t.Errorf("%s: %s has method %d", format, f.Name, f.Method)
		}
	}
}

func TestFormatsHaveTheirKeysInARegion(t *testing.T) {
	v := manifests.MustVersion("9.1.0.0")
	fixed, latest := format(t, "setup").Keys(v, amd64)
	wantFixed := []string{"ssm-setup/9.1.0.0/ssm-setup-linux-amd64", "9.1.0.0/linux_amd64/ssm-setup", "9.1.0.0/linux_amd64/ssm-setup-cli",
		"9.1.0.0/debian_amd64/ssm-setup-cli"}
	wantLatest := []string{"latest/linux_amd64/ssm-setup", "latest/linux_amd64/ssm-setup-cli", "latest/debian_amd64/ssm-setup-cli"}
	if !slices.Equal(fixed, wantFixed) || !slices.Equal(latest, wantLatest) {
		t.Errorf("%v\n%v", fixed, latest)
	}
	fixed, latest = format(t, "updater").Keys(v, amd64)
	const file = "amazon-ssm-agent-updater-linux-amd64.tar.gz"
	if !slices.Equal(fixed, []string{"amazon-ssm-agent-updater/9.1.0.0/" + file}) ||
		!slices.Equal(latest, []string{"amazon-ssm-agent-updater/latest/" + file}) {
		t.Errorf("%v\n%v", fixed, latest)
	}
}

// The tool is made for every system and architecture, and lies under both of its names where people and scripts look for it.
func TestTheToolIsMadeForEverySystem(t *testing.T) {
	v := manifests.MustVersion("9.1.0.0")
	for _, p := range pack.Platforms() {
		if p.Arch == "universal" {
			continue
		}
		exe, f := p.Executable(""), format(t, "setup")
		if want := "ssm-setup-" + p.OS + "-" + p.Arch + exe; f.File(p) != want {
			t.Errorf("%s: %s, want %s", p, f.File(p), want)
		}
		fixed, latest := f.Keys(v, p)
		families := []string{p.OS}
		if p.OS == "linux" {
			families = append(families, "debian")
		}
		for _, family := range families {
			folder := manifests.Folder(family, p.Arch)
			if !slices.Contains(fixed, "9.1.0.0/"+folder+"/ssm-setup-cli"+exe) || !slices.Contains(latest, "latest/"+folder+"/ssm-setup-cli"+exe) {
				t.Errorf("%s: no ssm-setup-cli for %s in %v, %v", p, folder, fixed, latest)
			}
		}
		if !slices.Contains(latest, "latest/"+manifests.Folder(p.OS, p.Arch)+"/ssm-setup"+exe) {
			t.Errorf("%s: no ssm-setup in %v", p, latest)
		}
	}
}
