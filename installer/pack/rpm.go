package pack

import (
	"io"

	nfpmrpm "github.com/goreleaser/nfpm/v2/rpm"

	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/installer/systems"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// rpm is the package of Amazon Linux, Red Hat, SUSE and their kin (docs/protocol/update.md, "rpm package").
var rpm = Format{
	Name: "rpm", Package: manifests.AgentPackage, Programs: []string{Launcher, Worker},
	File: func(p Platform) string {
		if p.OS != "linux" || p.Arch == "arm" { // no system of rpm's family runs on 32-bit ARM
			return ""
		}
		return packageFile("linux", p, "rpm")
	},
	Loose: func(p Platform) []string {
		return []string{manifests.Folder("linux", p.Arch) + "/amazon-ssm-agent.rpm"}
	},
	Signed: Signed{Installers: DetachedOpenPGP, Content: sign.RPM},
	Manager: &Manager{
		Platforms: []string{"linux"},
		Families:  []string{"amzn", "rhel", "fedora", "centos", "suse", "opensuse", "sles", "ol", "rocky", "almalinux"},
		Query:     []string{"rpm", "-q", "amazon-ssm-agent"}, Installed: "amazon-ssm-agent",
		Install: []string{"rpm", "-U", "--oldpackage", "{}"},
		Remove:  []string{"rpm", "-e", "amazon-ssm-agent"}, Purge: []string{"rpm", "-e", "amazon-ssm-agent"},
	},
	Repository: "yum",
	write:      writeRPM,
}

func writeRPM(w io.Writer, in Input) error {
	s, err := newStage(in)
	if err != nil {
		return err
	}
	defer s.remove()
	info, err := s.info(rpmEntries(in))
	if err != nil {
		return err
	}
	info.Vendor = "ssm-setup"
	info.RPM.Group = "Amazon/Tools"
	info.RPM.BuildHost = "localhost" // not this machine's name: the bytes must not depend on it
	info.RPM.Compression = "xz"      // rpm before 4.14 cannot read zstd
	info.RPM.Signature.SignFn = in.Signing.OpenPGP
	err = s.scripts(map[*string][]byte{
		&info.RPM.Scripts.PreTrans:  []byte(systems.Shell() + "\n" + read(in, "rpm/pretrans")),
		&info.Scripts.PreInstall:    script(in, "", "rpm/pre"),
		&info.Scripts.PostInstall:   script(in, "", "rpm/post"),
		&info.Scripts.PreRemove:     script(in, "", "rpm/preun"),
		&info.Scripts.PostRemove:    script(in, "", "rpm/postun"),
		&info.RPM.Scripts.PostTrans: script(in, "", "rpm/posttrans"),
	})
	if err != nil {
		return err
	}
	return nfpmrpm.DefaultRPM.Package(info, w)
}

func rpmEntries(in Input) []entry {
	list := append(programEntries("/usr/bin"), documents(in, "/etc/amazon/ssm", doc)...)
	return append(list,
		text(in, "/etc/init/amazon-ssm-agent.conf", config, "rpm/amazon-ssm-agent.conf"),
		text(in, "/etc/systemd/system/amazon-ssm-agent.service", config, "common/amazon-ssm-agent.service"),
		text(in, "/usr/lib/systemd/system/amazon-ssm-agent.service.d/ssm-setup.conf", plain, "common/ssm-setup.conf"),
		text(in, "/usr/lib/systemd/system-preset/80-amazon-ssm-agent.preset", plain, "rpm/preset"),
		entry{path: "/var/lib/amazon/ssm", mode: 0o755, kind: folder},
	)
}
