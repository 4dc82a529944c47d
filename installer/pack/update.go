package pack

import (
	"archive/tar"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// payload is what the original's updater unpacks on one family of systems: a finished package of another format under a fixed
// name, and the two scripts it calls (docs/protocol/update.md, "Script behaviour and exit codes", "Archives for the
// updater").
type payload struct {
	inner   Format
	name    string // of the package in the archive; empty: there is none
	scripts []string
}

// The two files of a snap. They come from snapcraft and from a store: where they lie beside the programs, archives have them.
var snapFiles = []string{"amazon-ssm-agent.snap", "amazon-ssm-agent.assert"}

// payloads are the updates by the platform in their names (docs/protocol/update.md, "Platform names").
func payloads() map[string]payload {
	return map[string]payload{
		"linux":        {rpm, "amazon-ssm-agent.rpm", []string{"rpm/install.sh", "rpm/uninstall.sh"}},
		"ubuntu":       {deb, "amazon-ssm-agent.deb", []string{"deb/install.sh", "deb/uninstall.sh"}},
		"snap":         {scripts: []string{"deb/snap-install.sh", "deb/snap-uninstall.sh"}},
		"windows":      {setupEXE, "AmazonSSMAgentSetup.exe", []string{"windows/install.ps1", "windows/uninstall.ps1"}},
		"windows-nano": {portable, "package.zip", []string{"windows/install.ps1", "windows/uninstall.ps1"}},
		"darwin":       {rooted, "amazon-ssm-agent.tar.gz", []string{"darwin/install.sh", "darwin/uninstall.sh"}},
	}
}

// snaps tells for which machines there are snaps.
func snaps(p Platform) bool { return p.OS == "linux" && (p.Arch == "amd64" || p.Arch == "arm64") }

// update is the archive that the original's updater asks for by the system's own name; updateUbuntu the one it asks for on
// Debian, Ubuntu and Raspbian.
var (
	update       = updateOf("update", func(p Platform) string { return p.OS })
	updateUbuntu = updateOf("update-ubuntu", ubuntuOnly)
)

// Windows without an installer service has archives of its own name.
var updateNano = updateOf("update-nano", nanoOnly)

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

// snapOnly is the platform in the names of archives for agents that snap installed.
func snapOnly(p Platform) string {
	if !snaps(p) {
		return ""
	}
	return "snap"
}

// updateSnap is the one archive that is no more than a tar.
var updateSnap = Format{
	Name: "update-snap", Package: manifests.AgentPackage,
	File: func(p Platform) string {
		if !snaps(p) {
			return ""
		}
		return strings.TrimSuffix(manifests.ArchiveFile(manifests.AgentPackage, snapOnly(p), p.Arch), ".gz")
	},
	write: func(w io.Writer, in Input) error {
		return writeTarFile(w, in, append(updateScripts(in, payloads()["snap"]), snapEntries(in)...))
	},
}

func updateOf(name string, platform func(Platform) string) Format {
	return Format{
		Name: name, Package: manifests.AgentPackage, Programs: []string{Launcher, Worker},
		File: func(p Platform) string {
			c, ok := payloads()[platform(p)]
			if !ok || c.inner.File(p) == "" {
				return ""
			}
			return manifests.ArchiveFile(manifests.AgentPackage, platform(p), p.Arch)
		},
		embeds: func(p Platform) []string { return payloads()[platform(p)].inner.Programs },
		write:  func(w io.Writer, in Input) error { return writeUpdate(w, in, payloads()[platform(in.Platform)]) },
	}
}

func writeUpdate(w io.Writer, in Input, c payload) error {
	inner, err := in.Embedded(c.inner)
	if err != nil {
		return err
	}
	entries := append([]entry{{path: c.name, mode: 0o644, file: inner}}, updateScripts(in, c)...)
	if c.inner.Name == deb.Name && snaps(in.Platform) {
		entries = append(append(entries, updateScripts(in, payloads()["snap"])...), snapEntries(in)...)
	}
	if in.Platform.OS == "windows" {
		return writeZip(w, in, entries)
	}
	return writeTarGz(w, in, entries, gzip.NoCompression) // the package in it is compressed already
}

// snapEntries are the files of a snap, if both are there.
func snapEntries(in Input) (list []entry) {
	for _, name := range snapFiles {
		file := filepath.Join(in.Bin, name)
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			return nil
		}
		list = append(list, entry{path: name, mode: 0o644, file: file})
	}
	return list
}

func updateScripts(in Input, c payload) (list []entry) {
	for _, name := range c.scripts {
		list = append(list, updateScript(in, name))
	}
	return list
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
// The others are the same bytes under another name.
var (
	updater = Format{
		Name: "updater", Package: manifests.UpdaterPackage, Programs: []string{Worker}, Latest: true,
		File:  updaterFile(func(p Platform) string { return p.OS }),
		write: writeUpdater,
	}
	updaterUbuntu = updaterLike("updater-ubuntu", ubuntuOnly)
	updaterSnap   = updaterLike("updater-snap", snapOnly)
	updaterNano   = updaterLike("updater-nano", nanoOnly)
)

// strangers are machines that no original agent runs on, or that it knows by another name: their updater is never asked for.
var strangers = []string{"linux/arm", "windows/arm64"}

func updaterFile(platform func(Platform) string) func(Platform) string {
	return func(p Platform) string {
		name := platform(p)
		if name == "" || p == Universal || slices.Contains(strangers, name+"/"+p.Arch) {
			return ""
		}
		return manifests.ArchiveFile(manifests.UpdaterPackage, name, p.Arch)
	}
}

// updaterLike is the updater under another name, a copy where there are both.
func updaterLike(name string, platform func(Platform) string) Format {
	return Format{
		Name: name, Package: manifests.UpdaterPackage, Programs: updater.Programs, Latest: true,
		File: updaterFile(platform),
		write: func(w io.Writer, in Input) error {
			if updater.File(in.Platform) == "" {
				return writeUpdater(w, in)
			}
			path, err := in.Embedded(updater)
			if err != nil {
				return err
			}
			return copyInto(w, in, path)
		},
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
	if err := writeTarFile(z, in, entries); err != nil {
		return err
	}
	return z.Close()
}

func writeTarFile(w io.Writer, in Input, entries []entry) error {
	t := tar.NewWriter(w)
	for _, e := range entries {
		if err := addTar(t, in, e); err != nil {
			return err
		}
	}
	return t.Close()
}
