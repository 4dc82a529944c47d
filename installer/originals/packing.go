package originals

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// packing is one way in which Amazon's agent is packed, and how its package manager is called. Commands are those of
// docs/protocol/update.md, "Choosing package, service and verification manager"; {} in one is the package's path.
type packing struct {
	name     string // deb, rpm, exe, pkg
	platform string // in the names of archives
	payload  string // the package in an archive (docs/protocol/update.md, "Archives for the updater")
	loose    string // the package where it lies alone
	signed   bool   // the package in an archive is the loose one, beside which a detached OpenPGP signature lies

	query   []string   // prints the installed version; exit code other than 0 or no version: not installed
	whole   string     // what it prints, too, where the package is whole; empty: it prints nothing else
	look    []string   // prints name and version of a package's file; nil: it cannot be asked
	try     []string   // does everything but change something; nil: there is no such way
	install [][]string // one after the other
	remove  [][]string // data, settings and registration stay

	installLoose [][]string // where the loose package is of another kind; nil: as install

	removesNewer bool // an older package replaces a newer one only when that is removed first
}

// packings is the table.
func packings() []packing {
	const name = manifests.AgentPackage
	const plist = "/Library/LaunchDaemons/com.amazon.aws.ssm.plist"
	return []packing{
		{name: "deb", platform: "ubuntu", payload: name + ".deb", loose: name + ".deb", signed: true,
			query: []string{"dpkg-query", "-W", "-f=${Status} ${Version}\\n", name}, whole: "install ok installed",
			look:    []string{"dpkg-deb", "--show", "--showformat=${Package} ${Version}\\n", "{}"},
			try:     []string{"dpkg", "--dry-run", "--force-confdef", "--force-confold", "-i", "{}"},
			install: [][]string{{"dpkg", "--force-confdef", "--force-confold", "-i", "{}"}},
			remove:  [][]string{{"dpkg", "--force-remove-reinstreq", "-r", name}}},
		{name: "rpm", platform: "linux", payload: name + ".rpm", loose: name + ".rpm", signed: true,
			query:   []string{"rpm", "-q", "--qf", "%{VERSION}\\n", name},
			look:    []string{"rpm", "-qp", "--nosignature", "--qf", "%{NAME} %{VERSION}\\n", "{}"},
			try:     []string{"rpm", "-U", "--test", "--oldpackage", "--replacepkgs", "{}"},
			install: [][]string{{"rpm", "-U", "--oldpackage", "--replacepkgs", "{}"}},
			remove:  [][]string{{"rpm", "-e", name}}},
		{name: "exe", platform: "windows", payload: "AmazonSSMAgentSetup.exe", loose: "AmazonSSMAgentSetup.exe",
			query:        []string{"reg", "query", `HKLM\SYSTEM\CurrentControlSet\Services\AmazonSSMAgent`, "/v", "Version"},
			install:      [][]string{{"{}", "ALLOWEC2INSTALL=YES", "SKIPSYMLINKSCAN=YES", "/quiet", "/norestart"}},
			remove:       [][]string{{"{}", "/uninstall", "/quiet", "/norestart"}},
			removesNewer: true},
		{name: "pkg", platform: "darwin", payload: name + ".tar.gz", loose: name + ".pkg",
			query:        []string{"/opt/aws/ssm/bin/" + name, "-version"},
			install:      [][]string{{"tar", "-xf", "{}", "-C", "/"}, {"launchctl", "load", "-w", plist}},
			installLoose: [][]string{{"installer", "-pkg", "{}", "-target", "/"}},
			remove: [][]string{{"launchctl", "unload", "-w", plist}, {"rm", "-rf", "/opt/aws/ssm/bin", plist},
				{"pkgutil", "--forget", "com.amazon.aws.ssm"}}},
	}
}

// ErrSnap says that the agent is a snap's, which snap alone updates.
var ErrSnap = fault.New(fault.Refused, "Amazon's agent is installed as a snap, which only snap can change",
	"snap refresh amazon-ssm-agent updates it, snap remove amazon-ssm-agent removes it")

// errNoPacking says that this system has no package manager that Amazon's agent is packed for.
var errNoPacking = fault.New(fault.Refused, "Amazon's agent is packed for dpkg, rpm, Windows and macOS only", "")

// packing is the way of this system.
func (a *Agent) packing() (packing, error) {
	for _, p := range packings() {
		if p.name == a.System.Packing {
			return p, nil
		}
	}
	return packing{}, errNoPacking
}

// packingHere is the word for the way of this system: that of the package manager that has the agent, else of the one at home here.
func packingHere(l installer.Layout, goos string) string {
	switch goos {
	case "windows":
		return "exe"
	case "darwin":
		return "pkg"
	}
	way, err := setup.PackagingOf(installer.At(""))
	if err != nil || !l.System() {
		return ""
	}
	return way.Name
}

// archive is the name of the update archive in a manifest.
func (p packing) archive(arch string) string {
	return manifests.ArchiveFile(manifests.AgentPackage, p.platform, arch)
}

// looseKey is where a version's package lies alone in a bucket (docs/protocol/update.md, "Bucket layout").
func (p packing) looseKey(v manifests.Version, arch string) string {
	return v.String() + "/" + manifests.Folder(p.platform, arch) + "/" + p.loose
}

// listed are the versions of the original that a manifest has for a system. Archives of ours have the same name.
func (p packing) listed(m *manifests.Manifest, arch string) (manifests.Listing, map[manifests.Version]string, error) {
	l, err := m.Listing(manifests.AgentPackage, p.archive(arch))
	if err != nil {
		return l, nil, err
	}
	all := map[manifests.Version]string{}
	for v, status := range l.Statuses() {
		if KindOf(v) == Original && v.Parts()[0] < lowestTest {
			all[v] = status
		}
	}
	if len(all) == 0 && l.LatestActive().Parts()[0] < lowestTest {
		return l, nil, fmt.Errorf("%w: %s lists versions of this project's agent only", manifests.ErrNotListed, p.archive(arch))
	}
	return l, all, nil
}

var versionPattern = regexp.MustCompile(`\d+\.\d+\.\d+\.\d+`)

// versionIn is the version in what a program prints (docs/protocol/update.md, "Choosing package, service and verification manager").
func versionIn(text string) (manifests.Version, bool) {
	v, err := manifests.ParseVersion(versionPattern.FindString(text))
	return v, err == nil
}

// installing are the commands that put a package's file in.
func (p packing) installing(path string) [][]string {
	if p.installLoose != nil && strings.HasSuffix(path, p.loose) {
		return p.installLoose
	}
	return p.install
}

// filled is a command with a package's path.
func filled(command []string, path string) []string {
	out := make([]string, len(command))
	for i, word := range command {
		out[i] = strings.ReplaceAll(word, "{}", path)
	}
	return out
}
