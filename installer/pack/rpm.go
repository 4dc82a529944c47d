package pack

import (
	"bytes"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/rpmpack"

	"github.com/ssm-setup/ssm-setup/installer/sign"
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
	summary, _, _ := strings.Cut(description, "\n")
	r, err := rpmpack.NewRPM(rpmpack.RPMMetaData{Name: Launcher, Version: in.Version.String(), Release: "1", Epoch: rpmpack.NoEpoch,
		Summary: summary, Description: description, Licence: "Apache-2.0", URL: homepage, Vendor: "ssm-setup", Packager: maintainer,
		Group: "Amazon/Tools", Arch: rpmArch[in.Platform.Arch], OS: "linux", BuildTime: in.Time,
		BuildHost:  "localhost", // not this machine's name: the bytes must not depend on it
		Compressor: "xz",        // rpm before 4.14 cannot read zstd
		Requires:   rpmRequires,
	})
	if err != nil {
		return err
	}
	if err := addRPMFiles(r, in); err != nil {
		return err
	}
	r.AddPrein(string(script(in, "", "rpm/pre")))
	r.AddPostin(string(script(in, "", "rpm/post")))
	r.AddPreun(string(script(in, "", "rpm/preun")))
	r.AddPostun(string(script(in, "", "rpm/postun")))
	r.AddPosttrans(string(script(in, "", "rpm/posttrans")))
	r.AddCustomTag(rpmChangeTime, rpmpack.EntryUint32([]uint32{uint32(in.Time.Unix())}))
	r.AddCustomTag(rpmChangeName, rpmpack.EntryStringSlice([]string{maintainer + " - " + in.Version.String() + "-1"}))
	r.AddCustomTag(rpmChangeText, rpmpack.EntryStringSlice([]string{"- Release " + in.Version.String() + "."}))
	if in.Signing.OpenPGP != nil {
		r.SetPGPSigner(func(b []byte) ([]byte, error) { return in.Signing.OpenPGP(bytes.NewReader(b)) })
	}
	return r.Write(w)
}

// rpmArch is Go's architecture in rpm's words.
var rpmArch = map[string]string{"amd64": "x86_64", "386": "i386", "arm64": "aarch64"}

// Tags of an rpm's header that the library has no field for.
const (
	rpmChangeTime, rpmChangeName, rpmChangeText = 1080, 1081, 1082
	rpmDirNames                                 = 1118
)

// Flags of a requirement: which scriptlet of the package needs it, or that rpm itself must have a feature.
const (
	needsPostTrans = 1 << 5
	needsProgram   = 1 << 8
	needsPre       = 1 << 9
	needsPost      = 1 << 10
	needsPreUn     = 1 << 11
	needsPostUn    = 1 << 12
	needsFeature   = rpmpack.SenseRPMLIB | rpmpack.SenseLess | rpmpack.SenseEqual
)

// rpmRequires is what rpmbuild would write for this package. By the shell's flags rpm puts the shell in first, where one transaction
// brings both. There is no %pretrans: it would run before the shell is there, and this library writes no scriptlet in Lua.
var rpmRequires = rpmpack.Relations{
	{Name: "/bin/sh", Sense: needsProgram | needsPre}, {Name: "/bin/sh", Sense: needsProgram | needsPost},
	{Name: "/bin/sh", Sense: needsProgram | needsPreUn}, {Name: "/bin/sh", Sense: needsProgram | needsPostUn},
	{Name: "/bin/sh", Sense: needsProgram | needsPostTrans},
	{Name: "rpmlib(CompressedFileNames)", Version: "3.0.4-1", Sense: needsFeature},
	{Name: "rpmlib(FileDigests)", Version: "4.6.0-1", Sense: needsFeature},
	{Name: "rpmlib(PayloadFilesHavePrefix)", Version: "4.0-1", Sense: needsFeature},
	{Name: "rpmlib(PayloadIsXz)", Version: "5.2-1", Sense: needsFeature},
}

// rpmKinds are the flags of a file.
var rpmKinds = map[kind]rpmpack.FileType{doc: rpmpack.DocFile, config: rpmpack.ConfigFile | rpmpack.NoReplaceFile}

// addRPMFiles adds the files. In the payload their names begin with "./", as rpm demands and what rpm2cpio unpacks below the current
// folder; the library takes one name for payload and header, so the header's folders are written here.
func addRPMFiles(r *rpmpack.RPM, in Input) error {
	list := rpmEntries(in)
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	var dirs []string
	for _, e := range list {
		file := rpmpack.RPMFile{Name: "." + e.path, Mode: uint(e.mode.Perm()), Owner: "root", Group: "root",
			MTime: uint32(in.Time.Unix()), Type: rpmKinds[e.kind], Body: e.data}
		switch {
		case e.kind == folder:
			file.Mode |= 0o040000
		case e.kind == link:
			file.Mode = 0o120000
		case e.program != "":
			b, err := in.read(e.program)
			if err != nil {
				return err
			}
			file.Body = b
		}
		r.AddFile(file)
		if dir, _ := path.Split(e.path); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	r.AddCustomTag(rpmDirNames, rpmpack.EntryStringSlice(dirs))
	return nil
}

// rpmEntries are the files, and the folders that no package of a system brings.
func rpmEntries(in Input) []entry {
	const units = "/usr/lib/systemd/system/"
	list := append(programEntries("/usr/bin"), documents(in, "/etc/amazon/ssm", doc)...)
	list = append(list, manualEntries(in, "/usr/share", "site-functions", doc)...)
	list = append(list,
		text(in, "/etc/init/amazon-ssm-agent.conf", config, "rpm/amazon-ssm-agent.conf"),
		text(in, units+"amazon-ssm-agent.service", plain, "common/amazon-ssm-agent.service"),
		text(in, units+"amazon-ssm-agent.service.d/ssm-setup.conf", plain, "common/ssm-setup.conf"),
		text(in, "/usr/lib/systemd/system-preset/80-amazon-ssm-agent.preset", plain, "rpm/preset"),
	)
	folders := []string{"/etc/amazon", "/etc/amazon/ssm", "/etc/init", units + "amazon-ssm-agent.service.d", "/var/lib/amazon",
		"/var/lib/amazon/ssm"}
	if slices.ContainsFunc(list, func(e entry) bool { return strings.HasPrefix(e.path, "/etc/amazon/ssm/trust/") }) {
		folders = append(folders, "/etc/amazon/ssm/trust")
	}
	for _, dir := range folders {
		list = append(list, entry{path: dir, mode: 0o755, kind: folder})
	}
	return list
}

// read is a whole program.
func (in Input) read(program string) ([]byte, error) {
	f, _, err := in.open(filepath.Join(in.Bin, in.Platform.Executable(program)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
