package sign_test

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"testing"
	"time"

	"github.com/goreleaser/nfpm/v2"
	nfpmdeb "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	nfpmrpm "github.com/goreleaser/nfpm/v2/rpm"

	"github.com/ssm-setup/ssm-setup/installer/container/cfb"
	"github.com/ssm-setup/ssm-setup/installer/container/xar"
	"github.com/ssm-setup/ssm-setup/installer/sign"
)

// exe is the smallest Windows program that tools agree upon: one section, no imports.
func exe() []byte {
	const offset = 0x80
	var b bytes.Buffer
	dos := make([]byte, offset)
	copy(dos, "MZ")
	binary.LittleEndian.PutUint32(dos[0x3c:], offset)
	b.Write(dos)
	b.WriteString("PE\x00\x00")
	opt := pe.OptionalHeader64{Magic: 0x20b, SizeOfCode: 512, AddressOfEntryPoint: 0x1000, BaseOfCode: 0x1000, ImageBase: 0x140000000,
		SectionAlignment: 0x1000, FileAlignment: 0x200, MajorOperatingSystemVersion: 6, MajorSubsystemVersion: 6, SizeOfImage: 0x2000,
		SizeOfHeaders: 0x200, Subsystem: 3, NumberOfRvaAndSizes: 16}
	_ = binary.Write(&b, binary.LittleEndian, pe.FileHeader{Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: 1,
		SizeOfOptionalHeader: uint16(binary.Size(opt)), Characteristics: 0x22})
	_ = binary.Write(&b, binary.LittleEndian, opt)
	section := pe.SectionHeader32{VirtualSize: 1, VirtualAddress: 0x1000, SizeOfRawData: 512, PointerToRawData: 512,
		Characteristics: 0x60000020}
	copy(section.Name[:], ".text")
	_ = binary.Write(&b, binary.LittleEndian, section)
	code := make([]byte, 1024-b.Len())
	code[512-b.Len()] = 0xc3
	b.Write(code)
	return b.Bytes()
}

// msiFile is a compound file with streams of both sizes, which is all that a signature looks at. Its summary names our build.
func msiFile(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	class := [16]byte{0x84, 0x10, 0x0c, 8: 0xc0, 15: 0x46}
	err := cfb.Write(&b, class, []cfb.Stream{cfb.Bytes("\x05SummaryInformation", []byte("short\x00ssm-setup\x00")),
		cfb.Bytes("Big", bytes.Repeat([]byte("0123456789"), 5000)), cfb.Bytes("Other", []byte("another"))})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pkgFile(t testing.TB, signatures []xar.Signature) []byte {
	t.Helper()
	var b bytes.Buffer
	err := xar.Write(&b, xar.Archive{Time: epoch, Signatures: signatures, Files: []xar.File{
		{Name: "Distribution", Mode: 0o644, Time: epoch, Data: []byte("<installer-gui-script/>"), Deflate: true},
		{Name: "Payload", Mode: 0o644, Time: epoch, Data: bytes.Repeat([]byte("payload "), 4000)}}})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// packed makes a small package with nfpm.
func packed(t testing.TB, kind string, s *sign.Signer) []byte {
	t.Helper()
	info := nfpm.WithDefaults(&nfpm.Info{Name: "small", Arch: "amd64", Platform: "linux", Version: "1.0.0", VersionSchema: "none",
		Release:    "1",
		Maintainer: "Tests <tests@example.com>", Description: "small", MTime: epoch,
		Overridables: nfpm.Overridables{Contents: files.Contents{{Source: file(t, "readme", bytes.Repeat([]byte("text "), 500)),
			Destination: "/usr/share/small/readme", FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: 0o644, MTime: epoch}}}}})
	info.RPM.BuildHost = "localhost"
	if s != nil {
		info.Deb.Signature.SignFn, info.RPM.Signature.SignFn = s.Detach, s.Detach
	}
	var b bytes.Buffer
	var err error
	if kind == "deb" {
		err = nfpmdeb.Default.Package(info, &b)
	} else {
		err = nfpmrpm.DefaultRPM.Package(info, &b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func at(moment time.Time) func() time.Time { return func() time.Time { return moment } }
