package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// errNoPackager says that the system has no package manager that a package is made for.
var errNoPackager = fault.New(fault.Refused, "no supported package manager found in list: dpkg, rpm",
	"use --root with a folder: it needs no package manager")

// packaging is one way to install: how the package is called, put in and taken away. Commands are those of spec update 3.3; {} in
// one is the package's path, or the product that Windows lists.
type packaging struct {
	name   string
	on     string   // system, or system/architecture, in Go's names
	query  []string // exit 0 and the word installed in its output: the agent is installed through it
	word   string
	file   func(arch string) string // of a manifest
	loose  string                   // name of the package where it lies with others for one system only
	put    []string
	remove []string
	purge  []string
}

const serviceKey = `HKLM\SYSTEM\CurrentControlSet\Services\AmazonSSMAgent`

// packagers are tried in this order.
var packagers = []packaging{
	{name: "deb", on: "linux", query: []string{"dpkg", "-s", "amazon-ssm-agent"}, word: "install ok installed",
		file: func(arch string) string { return manifests.InstallerFile("deb", arch) }, loose: "amazon-ssm-agent.deb",
		put:    []string{"dpkg", "--force-confdef", "--force-confold", "-i", "{}"},
		remove: []string{"dpkg", "-r", "amazon-ssm-agent"}, purge: []string{"dpkg", "-P", "amazon-ssm-agent"}},
	{name: "rpm", on: "linux", query: []string{"rpm", "-q", "amazon-ssm-agent"}, word: "amazon-ssm-agent",
		file: func(arch string) string { return manifests.InstallerFile("rpm", arch) }, loose: "amazon-ssm-agent.rpm",
		put:    []string{"rpm", "-U", "--oldpackage", "{}"},
		remove: []string{"rpm", "-e", "amazon-ssm-agent"}, purge: []string{"rpm", "-e", "amazon-ssm-agent"}},
	{name: "msi", on: "windows/arm64", query: []string{"reg", "query", serviceKey, "/v", "Version"}, word: "REG_SZ",
		file: func(arch string) string { return manifests.InstallerFile("msi", arch) }, loose: "amazon-ssm-agent.msi",
		put:    []string{"msiexec", "/i", "{}", "/qn", "/norestart"},
		remove: []string{"msiexec", "/x", "{}", "/qn", "/norestart"}, purge: []string{"msiexec", "/x", "{}", "/qn", "/norestart"}},
	{name: "exe", on: "windows", query: []string{"reg", "query", serviceKey, "/v", "Version"}, word: "REG_SZ",
		file: func(arch string) string { return "AmazonSSMAgentSetup-windows-" + arch + ".exe" }, loose: "AmazonSSMAgentSetup.exe",
		put:    []string{"{}", "ALLOWEC2INSTALL=YES", "SKIPSYMLINKSCAN=YES", "/quiet", "/norestart"},
		remove: []string{"msiexec", "/x", "{}", "/qn", "/norestart"}, purge: []string{"msiexec", "/x", "{}", "/qn", "/norestart"}},
}

// packagersOf are those of a system and architecture.
func packagersOf(system, arch string) (list []packaging) {
	for _, p := range packagers {
		if p.on == system || p.on == system+"/"+arch {
			list = append(list, p)
		}
	}
	return list
}

// packagersHere are those of this machine.
func packagersHere() []packaging { return packagersOf(runtime.GOOS, runtime.GOARCH) }

// archive is the way without a package manager, for --root.
var archive = packaging{name: "tar", file: func(arch string) string { return manifests.PortableFile(runtime.GOOS, arch) },
	loose: manifests.PortableFile(runtime.GOOS, runtime.GOARCH)}

// choosePackaging picks the way: the archive under a root; on the system the package manager that has the agent, else that of
// the system's family, else the first there is (dpkg can be there as a mere tool, and so can rpm).
func choosePackaging(l installer.Layout) (packaging, error) {
	if !l.System() {
		return archive, nil
	}
	if len(packagersHere()) == 0 {
		return packaging{}, fmt.Errorf("%w: on %s install the package with the system's own installer, then run ssm-setup register", errors.ErrUnsupported, runtime.GOOS)
	}
	for _, p := range packagersHere() {
		if p.installed() {
			return p, nil
		}
	}
	for _, family := range []string{familyOf("/etc/os-release"), ""} {
		for _, p := range packagersHere() {
			if _, err := exec.LookPath(p.query[0]); err == nil && (family == "" || family == p.name) {
				return p, nil
			}
		}
	}
	return packaging{}, errNoPackager
}

// familyOf is deb or rpm by what a system's os-release file says it is, or is like; empty if that says neither.
func familyOf(file string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if key != "ID" && key != "ID_LIKE" {
			continue
		}
		for _, word := range strings.Fields(strings.Trim(value, `"'`)) {
			switch word {
			case "debian", "ubuntu":
				return "deb"
			case "amzn", "rhel", "fedora", "centos", "suse", "opensuse", "sles", "ol", "rocky", "almalinux":
				return "rpm"
			}
		}
	}
	return ""
}

// installed tells whether this package manager has the agent.
func (p packaging) installed() bool {
	if len(p.query) == 0 {
		return false
	}
	out, err := exec.Command(p.query[0], p.query[1:]...).Output()
	return err == nil && strings.Contains(string(out), p.word)
}

// noOffer says why a region has nothing to install.
type noOffer struct{ answer manifests.Answer }

func (e *noOffer) Error() string { return e.answer.Detail }

// offer is what a region has for this machine.
type offer struct {
	version manifests.Version
	file    string
	sha256  string
	size    int64
}

// ask finds what to install: the version asked for, or the newest active one. running is the installed version, zero for none.
func ask(ctx context.Context, client *bucket.Client, pkg, region, file, want string, allowDowngrade bool, running manifests.Version) (offer, error) {
	m, err := client.Manifest(ctx)
	if err != nil {
		return offer{}, err
	}
	listing, err := m.Listing(pkg, file)
	if err != nil {
		return offer{}, fmt.Errorf("region %s: %w", region, err)
	}
	q := manifests.Question{Package: pkg, Region: region, Running: running, Newest: listing.LatestActive(), Requested: want,
		AllowDowngrade: allowDowngrade, Status: listing.Statuses()}
	if strings.EqualFold(strings.TrimSpace(want), "stable") {
		if q.Stable, err = client.Stable(ctx); err != nil {
			return offer{}, err
		}
	}
	answer := manifests.Decide(q)
	if !answer.Changes() && answer.Kind != manifests.UpToDate {
		return offer{}, &noOffer{answer}
	}
	entry, _ := listing.Find(answer.Target)
	return offer{version: answer.Target, file: file, sha256: entry.Checksum, size: entry.Size}, nil
}
