package pack

import (
	"io"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// rooted is the macOS archive that unpacks at / (docs/protocol/update.md, "macOS packages"): what the archive for original updaters
// carries. It is no row of the table: people take the package.
var rooted = Format{
	Name: "rooted", Package: manifests.AgentPackage, Programs: []string{Launcher, Worker},
	File: func(p Platform) string {
		if p.OS != "darwin" || p == Universal {
			return ""
		}
		return manifests.ArchiveFile(manifests.AgentPackage+"-rooted", p.OS, p.Arch)
	},
	write: func(w io.Writer, in Input) error { return writeTarGz(w, in, withFolders(pkgEntries(in))[1:], 6) }, // not / itself
}
