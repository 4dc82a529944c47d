package pack

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/container/cab"
	"github.com/ssm-setup/ssm-setup/installer/container/msi"
	"github.com/ssm-setup/ssm-setup/installer/pack/resource"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// installer is the Windows Installer package (docs/protocol/update.md, "Windows packages"); see installer_tables.go for what it does,
// installer_steps.go for the order.
var installer = Format{
	Name: "msi", Package: manifests.AgentPackage, Programs: []string{Launcher, Worker},
	File: func(p Platform) string {
		if msiTemplate[p.Arch] == "" || p.OS != "windows" {
			return ""
		}
		return packageFile("windows", p, "msi")
	},
	Loose:   func(p Platform) []string { return []string{manifests.Folder(p.OS, p.Arch) + "/amazon-ssm-agent.msi"} },
	Fits:    fitsInstaller,
	Signed:  Signed{Installers: Authenticode, Content: sign.MSI, finish: Signing.authenticode},
	Manager: windowsInstaller([]string{"windows/arm64"}, []string{"msiexec", "/i", "{}", "/qn", "/norestart"}),
	write:   writeMSI,
}

// windowsInstaller is the manager of both packages for Windows; install is what differs.
func windowsInstaller(platforms, install []string) *Manager {
	remove := []string{"msiexec", "/x", "{}", "/qn", "/norestart"}
	return &Manager{Platforms: platforms, Query: []string{"reg", "query", `HKLM\` + serviceKey, "/v", "Version"}, Installed: "REG_SZ",
		Install: install, Remove: remove, Purge: remove, RemovesNewer: true}
}

// msiTemplate is the system and the language in a package's summary.
var msiTemplate = map[string]string{"amd64": "x64;1033", "arm64": "Arm64;1033", "386": "Intel;1033"}

// ErrThreeParts says that Windows Installer cannot tell a version from its neighbours.
var ErrThreeParts = fault.New(fault.Usage, "an msi takes versions whose fourth part is 0, up to 127.255.65535.0",
	"Windows compares three parts of a version: choose one such as 9.1.7.0, or leave msi, exe, update and greengrass out with --only")

func fitsInstaller(v manifests.Version) error {
	if n := v.Parts(); n[3] != 0 || n[0] > 127 || n[1] > 255 || n[2] > 65535 {
		return fmt.Errorf("%w: not %s", ErrThreeParts, v)
	}
	return nil
}

// msiFile is one file of the package.
type msiFile struct {
	key     string // in the tables, and in the cabinet
	folder  string // below the agent's, with a slash behind it; empty: there
	name    string
	version string // of programs, as the file states it; documents go by their hash
	lang    string
	size    int64
	hash    [16]byte // MD5
	data    []byte
}

// writeMSI makes the cabinet, then the tables that tell of it.
func writeMSI(w io.Writer, in Input) error {
	if err := fitsInstaller(in.Version); err != nil {
		return err
	}
	files, err := msiFiles(in)
	if err != nil {
		return err
	}
	var list []cab.File
	for _, f := range files {
		list = append(list, cab.File{Name: f.key, Size: f.size, Modified: in.Time, From: io.TeeReader(bytes.NewReader(f.data), in.progress)})
	}
	var cabinet bytes.Buffer
	if err := cab.Write(&cabinet, list); err != nil {
		return err
	}
	p := &product{in: in, db: &msi.Database{Summary: msiSummary(in)}}
	p.db.Streams = []msi.Stream{{Name: cabinetName, Data: cabinet.Bytes()}}
	p.tables(files)
	p.steps()
	if p.err == nil {
		p.err = errors.Join(p.db.Describe(), p.db.Validate())
	}
	if p.err != nil {
		return p.err
	}
	return msi.Write(w, p.db)
}

const cabinetName = "agent.cab"

func msiSummary(in Input) msi.Summary {
	return msi.Summary{
		Title: "Installation Database", Subject: ProductName, Author: ProductMaker, Keywords: "Installer",
		Comments: "Version " + in.Version.String() + ", Apache License 2.0", Template: msiTemplate[in.Platform.Arch],
		Time: in.Time, Schema: 500, Source: 2, Application: Setup, Security: 2,
	}
}

// msiFiles are what docs/protocol/update.md, "Windows packages" lists. The other names of the launcher are copies that the installer
// makes itself.
func msiFiles(in Input) ([]msiFile, error) {
	var files []msiFile
	for _, e := range append(programEntries(""), windowsDocuments(in)...) {
		f := msiFile{data: e.data}
		f.folder, f.name = path.Split(e.path)
		if e.program != "" {
			var err error
			f.name = in.Platform.Executable(e.path)
			if f.data, err = os.ReadFile(filepath.Join(in.Bin, in.Platform.Executable(e.program))); err != nil {
				return nil, err
			}
			if f.version, f.lang, err = fileVersion(in, f.data); err != nil {
				return nil, err
			}
		}
		f.key, f.size, f.hash = identifier(f.folder+f.name), int64(len(f.data)), md5.Sum(f.data)
		files = append(files, f)
	}
	return files, nil
}

// windowsDocuments are the files beside the programs.
func windowsDocuments(in Input) []entry {
	list := []entry{
		text(in, "amazon-ssm-agent.json.template", plain, "common/amazon-ssm-agent.json.template"),
		text(in, "seelog.xml.template", plain, "windows/seelog.xml.template"),
		text(in, "LICENSE", plain, "common/LICENSE"),
		text(in, "NOTICE.md", plain, "common/NOTICE.md"),
	}
	if len(in.Trust) > 0 {
		list = append(list, entry{path: TrustFile, data: in.Trust})
	}
	return list
}

// identifier makes a key of a file's name: letters, digits, points and lines below.
func identifier(name string) string {
	return strings.NewReplacer("-", "_", " ", "_", "/", "_").Replace(name)
}

// hashParts are the numbers that MsiFileHash has.
func (f msiFile) hashParts() (parts [4]int) {
	for i := range parts {
		parts[i] = int(int32(binary.LittleEndian.Uint32(f.hash[4*i:])))
	}
	return parts
}

// fileVersion is the version that a finished program states, with its language, as installers compare it. A program without
// one (signed before the build) counts as of the package's version: it always replaces what is there.
func fileVersion(in Input, program []byte) (version, language string, err error) {
	v, n, err := resource.Read(bytes.NewReader(program))
	switch {
	case errors.Is(err, resource.ErrNone):
		return in.Version.String(), "1033", nil
	case err != nil:
		return "", "", err
	}
	return fmt.Sprintf("%d.%d.%d.%d", v[0], v[1], v[2], v[3]), fmt.Sprint(n), nil
}
