package pack

import (
	"archive/tar"
	"io"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// cargo is what the original's updater unpacks on one family of systems: a finished package of another format under a fixed
// name, and the two scripts it calls (spec update 1.20, 4.7).
type cargo struct {
	inner   Format
	name    string // of the package in the archive
	scripts []string
}

// cargos are the updates by the platform in their names (spec update 1.7).
func cargos() map[string]cargo {
	return map[string]cargo{
		"linux": {rpm, "amazon-ssm-agent.rpm", []string{"rpm/install.sh", "rpm/uninstall.sh"}},
		"ubuntu": {deb, "amazon-ssm-agent.deb", []string{"deb/install.sh", "deb/uninstall.sh", "deb/snap-install.sh",
			"deb/snap-uninstall.sh"}},
		"windows":      {setupEXE, "AmazonSSMAgentSetup.exe", []string{"windows/install.ps1", "windows/uninstall.ps1"}},
		"windows-nano": {portable, "package.zip", []string{"windows/install.ps1", "windows/uninstall.ps1"}},
		"darwin":       {rooted, "amazon-ssm-agent.tar.gz", []string{"darwin/install.sh", "darwin/uninstall.sh"}},
	}
}

// update is the archive that the original's updater asks for by the system's own name; updateUbuntu the one it asks for on
// Debian, Ubuntu and Raspbian.
var (
	update       = updateOf("update", func(p Platform) string { return p.OS })
	updateUbuntu = updateOf("update-ubuntu", ubuntuOnly)
)

// Windows without an installer service has archives of its own name.
var (
	updateNano  = updateOf("update-nano", nanoOnly)
	updaterNano = updaterOf("updater-nano", nanoOnly)
)

func nanoOnly(p Platform) string {
	if p.OS != "windows" || p.Arch != "amd64" {
		return ""
	}
	return "windows-nano"
}

// ubuntuOnly is the platform in the names of archives for systems with dpkg.
func ubuntuOnly(p Platform) string {
	if p.OS != "linux" {
		return ""
	}
	return "ubuntu"
}

func updateOf(name string, platform func(Platform) string) Format {
	return Format{
		Name: name, Package: manifests.AgentPackage, Programs: []string{Launcher, Worker},
		File: func(p Platform) string {
			c, ok := cargos()[platform(p)]
			if !ok || c.inner.File(p) == "" {
				return ""
			}
			return manifests.ArchiveFile(manifests.AgentPackage, platform(p), p.Arch)
		},
		carries: func(p Platform) []string { return cargos()[platform(p)].inner.Programs },
		write:   func(w io.Writer, in Input) error { return writeUpdate(w, in, cargos()[platform(in.Platform)]) },
	}
}

func writeUpdate(w io.Writer, in Input, c cargo) error {
	inner, err := in.carried(c.inner)
	if err != nil {
		return err
	}
	entries := []entry{{path: c.name, mode: 0o644, file: inner}}
	for _, name := range c.scripts {
		entries = append(entries, updateScript(in, name))
	}
	if in.Platform.OS == "windows" {
		return writeZip(w, in, entries)
	}
	return writeTarGz(w, in, entries, gzip.NoCompression) // the package in it is compressed already
}

// updateScript is one script at the archive's top level, with what all of them share in front.
func updateScript(in Input, name string) entry {
	data := read(in, "update/"+name)
	if strings.HasSuffix(name, ".sh") {
		data = read(in, "update/head.sh") + data
	}
	return entry{path: path.Base(name), mode: 0o755, data: []byte(data)}
}

// updater is the separate updater that original agents fetch and start: the worker, whose role is the name it is called as.
var (
	updater       = updaterOf("updater", func(p Platform) string { return p.OS })
	updaterUbuntu = updaterOf("updater-ubuntu", ubuntuOnly)
)

func updaterOf(name string, platform func(Platform) string) Format {
	return Format{
		Name: name, Package: manifests.UpdaterPackage, Programs: []string{Worker}, Latest: true,
		File: func(p Platform) string {
			if platform(p) == "" || p == universal {
				return ""
			}
			return manifests.ArchiveFile(manifests.UpdaterPackage, platform(p), p.Arch)
		},
		write: writeUpdater,
	}
}

func writeUpdater(w io.Writer, in Input) error {
	entries := []entry{{path: "updater", mode: 0o755, program: Worker}}
	if in.Platform.OS == "windows" {
		return writeZip(w, in, entries)
	}
	return writeTarGz(w, in, entries, 6)
}

// writeTarGz writes a flat tar, squeezed as told.
func writeTarGz(w io.Writer, in Input, entries []entry, level int) error {
	z, err := gzip.NewWriterLevel(w, level)
	if err != nil {
		return err
	}
	z.ModTime = time.Unix(0, 0) // no time, see squeeze
	t := tar.NewWriter(z)
	for _, e := range entries {
		if err := addTar(t, in, e); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}
