package setup

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"runtime"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Packaging is one way to install: how the package is called, put in and removed. Commands are those of docs/protocol/update.md,
// "Choosing package, service and verification manager"; {} in one is the package's path, or the product that Windows lists.
type Packaging struct {
	Name string                   // deb, rpm, msi, exe, tar
	File func(arch string) string // the package's name in a manifest

	Format pack.Format // zero for the archive

	query  []string // exit 0 and the word installed in its output: the agent is installed through it
	word   string
	loose  string // name of the package where it lies with others for one system only
	add    []string
	remove []string
	purge  []string

	removesNewer bool // an older package replaces a newer one only when that is removed first
}

// packagersOf are the ways of a system and architecture, in the order in which they are tried.
func packagersOf(system, arch string) (list []Packaging) {
	platform := pack.Platform{OS: system, Arch: arch}
	for _, f := range pack.Managed(platform) {
		m := f.Manager
		list = append(list, Packaging{Name: f.Name, Format: f, loose: path.Base(f.Loose(platform)[0]),
			File:  func(arch string) string { return f.File(pack.Platform{OS: system, Arch: arch}) },
			query: m.Query, word: m.Installed, add: m.Install, remove: m.Remove, purge: m.Purge, removesNewer: m.RemovesNewer})
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
		return Packaging{}, fmt.Errorf("%w: on %s install the package with the system's own installer, then run ssm-setup register",
			errors.ErrUnsupported, runtime.GOOS)
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
			if name := pack.FamilyFormat(word); name != "" {
				return name
			}
		}
	}
	return ""
}

// known tells whether this package manager knows the package at all: dpkg keeps the settings of a removed one (state rc) until it is
// purged.
func (p Packaging) known() bool {
	_, err := p.ask()
	return err == nil
}

// installed tells whether this package manager has the agent.
func (p Packaging) installed() bool {
	out, err := p.ask()
	return err == nil && strings.Contains(out, p.word)
}

// ask asks the package manager about the agent's package.
func (p Packaging) ask() (string, error) {
	if len(p.query) == 0 {
		return "", errors.ErrUnsupported
	}
	cmd := exec.Command(p.query[0], p.query[1:]...) //nolint:noctx // it takes milliseconds
	cmd.Env = CleanEnvironment(installer.At(""))
	out, err := cmd.Output()
	return string(out), err
}
