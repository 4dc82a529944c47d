package pack

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/ssm-setup/ssm-setup/installer/container/bom"
	"github.com/ssm-setup/ssm-setup/installer/container/cpio"
	"github.com/ssm-setup/ssm-setup/installer/container/xar"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// pkg is the macOS package (docs/protocol/update.md, "macOS packages"): a product archive with one component, for `installer -pkg` and
// the Installer program, from macOS 12 up. An upgrade goes in place: nothing is stopped before the files are there, see
// assets/pkg.
var pkg = Format{
	Name: "pkg", Package: manifests.AgentPackage, Programs: []string{Launcher, Worker},
	File: func(p Platform) string {
		if p.OS != "darwin" {
			return ""
		}
		return packageFile("darwin", p, "pkg")
	},
	Loose:  func(p Platform) []string { return []string{manifests.Folder(p.OS, p.Arch) + "/amazon-ssm-agent.pkg"} },
	Signed: Signed{Content: sign.Pkg},
	write:  writePkg,
}

const (
	pkgIdentifier = "com.amazon.aws.ssm" // of the receipt, and of the launchd job
	pkgComponent  = "amazon-ssm-agent.pkg"
)

// pkgArchitectures are Apple's words for an architecture. Without arm64 in them the installer would ask for Rosetta.
var pkgArchitectures = map[string]string{"amd64": "x86_64", "arm64": "arm64", "universal": "arm64,x86_64"}

func writePkg(w io.Writer, in Input) error {
	list := withFolders(pkgEntries(in))
	payload, bill, err := pkgPayload(in, list)
	if err != nil {
		return err
	}
	var receipt bytes.Buffer
	if err := bom.Write(&receipt, bill); err != nil {
		return err
	}
	scripts, err := pkgScripts(in)
	if err != nil {
		return err
	}
	var size int64
	for _, e := range bill {
		size += e.Size
	}
	kilobytes := (size + 1023) / 1024
	file := func(name string, data []byte, deflate bool) xar.File {
		return xar.File{Name: name, Mode: 0o644, Time: in.Time, Data: data, Deflate: deflate}
	}
	var signatures []xar.Signature
	if in.Signing.Xar != nil {
		if signatures, err = in.Signing.Xar(); err != nil {
			return err
		}
	}
	return xar.Write(w, xar.Archive{Time: in.Time, Signatures: signatures, Files: []xar.File{
		file("Distribution", pkgDistribution(in, kilobytes), true),
		{Name: pkgComponent, Mode: fs.ModeDir | 0o755, Time: in.Time},
		file(pkgComponent+"/Bom", receipt.Bytes(), true),
		file(pkgComponent+"/Payload", payload, false),
		file(pkgComponent+"/Scripts", scripts, false),
		file(pkgComponent+"/PackageInfo", pkgInfo(in, len(bill), kilobytes), true),
	}})
}

func pkgEntries(in Input) []entry {
	list := append(programEntries("opt/aws/ssm/bin"), documents(in, "opt/aws/ssm", plain)...)
	list = append(list, manualEntries(in, "opt/aws/ssm/share", "site-functions", plain)...)
	plist := text(in, "Library/LaunchDaemons/"+pkgIdentifier+".plist", plain, "pkg/"+pkgIdentifier+".plist")
	plist.mode = 0o600
	list = append(list, plist)
	for i := range list {
		list[i].path = "./" + list[i].path
	}
	return list
}

// withFolders adds every folder above the entries, 0755: only root may write what lies above the agent. Folders
// come before what is in them.
func withFolders(list []entry) []entry {
	seen := map[string]bool{}
	for _, e := range list {
		for at := e.path; at != "."; {
			at = at[:max(strings.LastIndexByte(at, '/'), 1)]
			if !seen[at] {
				seen[at] = true
				list = append(list, entry{path: at, mode: 0o755, kind: folder})
			}
		}
	}
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return list
}

// pkgPayload is the archive of the files, and the bill of them.
func pkgPayload(in Input, list []entry) (payload []byte, bill []bom.Entry, err error) {
	var out bytes.Buffer
	// Level 6, as in the portable archive.
	z, err := gzip.NewWriterLevel(&out, 6)
	if err != nil {
		return nil, nil, err
	}
	z.ModTime = time.Unix(0, 0) // no time, see squeeze
	c := cpio.NewWriter(z)
	for _, e := range list {
		b, err := addPkg(c, in, e)
		if err != nil {
			return nil, nil, err
		}
		bill = append(bill, b)
	}
	if err := c.Close(); err != nil {
		return nil, nil, err
	}
	err = z.Close()
	return out.Bytes(), bill, err
}

// addPkg adds one entry to the payload, owned by root:wheel, and returns its line of the bill.
func addPkg(c *cpio.Writer, in Input, e entry) (bom.Entry, error) {
	line := bom.Entry{Path: e.path, Mode: e.mode, Time: in.Time}
	var data io.Reader = bytes.NewReader(e.data)
	line.Size = int64(len(e.data))
	switch {
	case e.kind == folder:
		line.Mode |= fs.ModeDir
	case e.kind == link:
		line.Mode, line.Link = fs.ModeSymlink|0o755, string(e.data)
	case e.program != "":
		f, size, err := in.open(filepath.Join(in.Bin, in.Platform.Executable(e.program)))
		if err != nil {
			return line, err
		}
		defer f.Close()
		line.Size, data = size, f
	}
	sum := bom.NewSum()
	err := c.Add(cpio.Entry{Name: line.Path, Mode: line.Mode, Time: line.Time, Size: line.Size}, io.TeeReader(data, sum))
	if e.kind != folder {
		line.Sum = sum.Sum32()
	}
	return line, err
}

// pkgScripts is the archive of the two scripts.
func pkgScripts(in Input) ([]byte, error) {
	var out bytes.Buffer
	c := cpio.NewWriter(&out)
	if err := c.Add(cpio.Entry{Name: ".", Mode: fs.ModeDir | 0o755, Time: in.Time}, nil); err != nil {
		return nil, err
	}
	for _, name := range []string{"postinstall", "preinstall"} {
		data := read(in, "pkg/head.sh") + read(in, "pkg/functions.sh") + "\n" + read(in, "pkg/"+name)
		e := cpio.Entry{Name: "./" + name, Mode: 0o755, Time: in.Time, Size: int64(len(data))}
		if err := c.Add(e, strings.NewReader(data)); err != nil {
			return nil, err
		}
	}
	err := c.Close()
	return squeeze(out.String()), err
}

// pkgInfo describes the component. Folders get the modes of the bill also where they exist, so that a loose one is made tight.
func pkgInfo(in Input, files int, kilobytes int64) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="utf-8"?>
<pkg-info format-version="2" identifier="%s" version="%s" install-location="/" auth="root" overwrite-permissions="true" `+
		`relocatable="false" postinstall-action="none" generator-version="ssm-setup">
    <payload numberOfFiles="%d" installKBytes="%d"/>
    <scripts>
        <preinstall file="./preinstall"/>
        <postinstall file="./postinstall"/>
    </scripts>
</pkg-info>
`, pkgIdentifier, in.Version, files, kilobytes)
}

// pkgDistribution is what the installer reads first: for which machines, and what to choose from (nothing).
func pkgDistribution(in Input, kilobytes int64) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="utf-8"?>
<installer-gui-script minSpecVersion="2">
    <title>AWS Systems Manager agent %[2]s</title>
    <product id="%[1]s" version="%[2]s"/>
    <options customize="never" require-scripts="false" hostArchitectures="%[3]s"/>
    <domains enable_anywhere="true" enable_currentUserHome="false" enable_localSystem="true"/>
    <volume-check>
        <allowed-os-versions>
            <os-version min="12.0"/>
        </allowed-os-versions>
    </volume-check>
    <choices-outline>
        <line choice="default">
            <line choice="%[1]s"/>
        </line>
    </choices-outline>
    <choice id="default"/>
    <choice id="%[1]s" visible="false">
        <pkg-ref id="%[1]s"/>
    </choice>
    <pkg-ref id="%[1]s" version="%[2]s" installKBytes="%[4]d" onConclusion="none">#%[5]s</pkg-ref>
</installer-gui-script>
`, pkgIdentifier, in.Version, pkgArchitectures[in.Platform.Arch], kilobytes, pkgComponent)
}
