package setup

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Packaging is one way to install: how the package is called, put in and removed. Commands are those of docs/protocol/update.md,
// "Choosing package, service and verification manager"; {} in one is the package's path, or the product that Windows lists.
type Packaging struct {
	Name string                   // deb, rpm, msi, exe, tar
	File func(arch string) string // the package's name in a manifest

	on     string   // system, or system/architecture, in Go's names
	query  []string // exit 0 and the word installed in its output: the agent is installed through it
	word   string
	loose  string // name of the package where it lies with others for one system only
	add    []string
	remove []string
	purge  []string
}

const serviceKey = `HKLM\SYSTEM\CurrentControlSet\Services\AmazonSSMAgent`

// packagers are tried in this order.
var packagers = []Packaging{
	{Name: "deb", on: "linux", query: []string{"dpkg", "-s", "amazon-ssm-agent"}, word: "install ok installed",
		File: func(arch string) string { return manifests.InstallerFile("deb", arch) }, loose: "amazon-ssm-agent.deb",
		add:    []string{"dpkg", "--force-confdef", "--force-confold", "-i", "{}"},
		remove: []string{"dpkg", "-r", "amazon-ssm-agent"}, purge: []string{"dpkg", "-P", "amazon-ssm-agent"}},
	{Name: "rpm", on: "linux", query: []string{"rpm", "-q", "amazon-ssm-agent"}, word: "amazon-ssm-agent",
		File: func(arch string) string { return manifests.InstallerFile("rpm", arch) }, loose: "amazon-ssm-agent.rpm",
		add:    []string{"rpm", "-U", "--oldpackage", "{}"},
		remove: []string{"rpm", "-e", "amazon-ssm-agent"}, purge: []string{"rpm", "-e", "amazon-ssm-agent"}},
	{Name: "msi", on: "windows/arm64", query: []string{"reg", "query", serviceKey, "/v", "Version"}, word: "REG_SZ",
		File: func(arch string) string { return manifests.InstallerFile("msi", arch) }, loose: "amazon-ssm-agent.msi",
		add:    []string{"msiexec", "/i", "{}", "/qn", "/norestart"},
		remove: []string{"msiexec", "/x", "{}", "/qn", "/norestart"}, purge: []string{"msiexec", "/x", "{}", "/qn", "/norestart"}},
	{Name: "exe", on: "windows", query: []string{"reg", "query", serviceKey, "/v", "Version"}, word: "REG_SZ",
		File: func(arch string) string { return "AmazonSSMAgentSetup-windows-" + arch + ".exe" }, loose: "AmazonSSMAgentSetup.exe",
		add:    []string{"{}", "ALLOWEC2INSTALL=YES", "SKIPSYMLINKSCAN=YES", "/quiet", "/norestart"},
		remove: []string{"msiexec", "/x", "{}", "/qn", "/norestart"}, purge: []string{"msiexec", "/x", "{}", "/qn", "/norestart"}},
}

// packagersOf are those of a system and architecture.
func packagersOf(system, arch string) (list []Packaging) {
	for _, p := range packagers {
		if p.on == system || p.on == system+"/"+arch {
			list = append(list, p)
		}
	}
	return list
}

// packagersHere are those of this machine.
func packagersHere() []Packaging { return packagersOf(runtime.GOOS, runtime.GOARCH) }

// archive is the way without a package manager, for --root.
var archive = Packaging{Name: "tar", File: func(arch string) string { return manifests.PortableFile(runtime.GOOS, arch) },
	loose: manifests.PortableFile(runtime.GOOS, runtime.GOARCH)}

// PackagingOf picks the way: the archive under a root; on the system the package manager that has the agent, else that of
// the system's family, else the first there is (dpkg can be there as a mere tool, and so can rpm).
func PackagingOf(l installer.Layout) (Packaging, error) {
	if !l.System() {
		return archive, nil
	}
	if len(packagersHere()) == 0 {
		return Packaging{}, fmt.Errorf("%w: on %s install the package with the system's own installer, then run ssm-setup register", errors.ErrUnsupported, runtime.GOOS)
	}
	for _, p := range packagersHere() {
		if p.installed() {
			return p, nil
		}
	}
	for _, family := range []string{familyOf("/etc/os-release"), ""} {
		for _, p := range packagersHere() {
			if _, err := exec.LookPath(p.query[0]); err == nil && (family == "" || family == p.Name) {
				return p, nil
			}
		}
	}
	return Packaging{}, ErrNoPackager
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
func (p Packaging) installed() bool {
	if len(p.query) == 0 {
		return false
	}
	out, err := exec.Command(p.query[0], p.query[1:]...).Output()
	return err == nil && strings.Contains(string(out), p.word)
}
