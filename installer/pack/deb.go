package pack

import (
	"fmt"
	"io"
	"time"

	nfpmdeb "github.com/goreleaser/nfpm/v2/deb"

	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// deb is the Debian package (docs/protocol/update.md, "deb package").
var deb = Format{
	Name: "deb", Package: manifests.AgentPackage, Programs: []string{Launcher, Worker},
	File: func(p Platform) string {
		if p.OS != "linux" {
			return ""
		}
		return packageFile("debian", p, "deb")
	},
	Loose: func(p Platform) []string {
		return []string{manifests.Folder("debian", p.Arch) + "/amazon-ssm-agent.deb"}
	},
	Signed: Signed{Installers: DetachedOpenPGP, Content: sign.Deb},
	Manager: &Manager{
		Platforms: []string{"linux"}, Families: []string{"debian", "ubuntu"},
		Query: []string{"dpkg", "-s", "amazon-ssm-agent"}, Installed: "install ok installed",
		Install: []string{"dpkg", "--force-confdef", "--force-confold", "-i", "{}"},
		Remove:  []string{"dpkg", "-r", "amazon-ssm-agent"}, Purge: []string{"dpkg", "-P", "amazon-ssm-agent"},
	},
	Repository: "apt",
	write:      writeDeb,
}

// debScript is the head of every maintainer script.
const debScript = "#!/bin/sh\nset -e\n"

func writeDeb(w io.Writer, in Input) error {
	s, err := newStage(in)
	if err != nil {
		return err
	}
	defer s.remove()
	info, err := s.info(debEntries(in))
	if err != nil {
		return err
	}
	// Every dpkg since 1.15.6 reads it; zstd is as small and three times as fast, but dpkg before Debian 12 cannot read that. The
	// figures are in the package's comment.
	info.Deb.Compression = "xz"
	info.Deb.Signature.SignFn = in.Signing.OpenPGP // member _gpgorigin
	err = s.scripts(map[*string][]byte{
		&info.Scripts.PreInstall:  script(in, debScript, "deb/preinst"),
		&info.Scripts.PostInstall: script(in, debScript, "deb/postinst"),
		&info.Scripts.PreRemove:   script(in, debScript, "deb/prerm"),
		&info.Scripts.PostRemove:  script(in, debScript, "deb/postrm"),
	})
	if err != nil {
		return err
	}
	return nfpmdeb.Default.Package(info, w)
}

func debEntries(in Input) []entry {
	const docs = "/usr/share/doc/amazon-ssm-agent/"
	list := append(programEntries("/usr/bin"), documents(in, "/etc/amazon/ssm", plain)...)
	list = append(list, manualEntries(in, "/usr/share", "vendor-completions", plain)...)
	return append(list,
		text(in, "/etc/init/amazon-ssm-agent.conf", config, "deb/amazon-ssm-agent.conf"),
		text(in, "/lib/systemd/system/amazon-ssm-agent.service", config, "common/amazon-ssm-agent.service"),
		text(in, "/lib/systemd/system/amazon-ssm-agent.service.d/ssm-setup.conf", plain, "common/ssm-setup.conf"),
		text(in, docs+"copyright", plain, "deb/copyright"),
		text(in, "/usr/share/lintian/overrides/amazon-ssm-agent", plain, "deb/lintian"),
		entry{path: docs + "changelog.gz", mode: 0o644, data: squeeze(read(in, "common/RELEASENOTES.md"))},
		entry{path: docs + "changelog.Debian.gz", mode: 0o644, data: squeeze(debChangelog(in))},
	)
}

// debChangelog is the one entry of this package's Debian changelog.
func debChangelog(in Input) string {
	return fmt.Sprintf("%s (%s-1) stable; urgency=medium\n\n  * Release %s.\n\n -- %s  %s\n",
		Launcher, in.Version, in.Version, maintainer, in.Time.UTC().Format(time.RFC1123Z))
}
