package resource_test

import (
	"bytes"
	"crypto/sha256"
	"debug/pe"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ssm-setup/ssm-setup/installer/pack/resource"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

var info = resource.Info{Version: [4]uint16{9, 1, 65535, 4}, Text: "9.1.65535.4", File: "x.exe", Product: "A product", Company: "a company",
	Description: "What it is"}

// program is what go makes of a few lines, for one architecture; the stamp is in it.
func program(t testing.TB, arch string) []byte {
	t.Helper()
	dir := t.TempDir()
	source := "package main\nvar mark string\nfunc main() { println(mark) }\n"
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w -X main.mark=ssm-setup-"+"version=9.1.65535.4", "-o", "x.exe", "main.go")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "x.exe"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func add(t testing.TB, b []byte, i resource.Info) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := resource.Add(&out, b, i); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func wide(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func TestAProgramGetsVersionAndManifest(t *testing.T) {
	for _, arch := range []string{"amd64", "386", "arm64"} {
		before := program(t, arch)
		after := add(t, before, info)
		v, language, err := resource.Read(bytes.NewReader(after))
		if err != nil || v != info.Version || language != 1033 {
			t.Errorf("%s: %v, %d, %v", arch, v, language, err)
		}
		for _, word := range []string{info.Text, info.File, info.Product, info.Company, info.Description} {
			if !bytes.Contains(after, wide(word)) {
				t.Errorf("%s: no %q", arch, word)
			}
		}
		for _, line := range []string{`level="asInvoker"`, "<longPathAware", "{8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a}"} {
			if !bytes.Contains(after, []byte(line)) {
				t.Errorf("%s: no %s in the manifest", arch, line)
			}
		}
		if text, err := stamp.Find(bytes.NewReader(after)); err != nil || text != info.Text {
			t.Errorf("%s: the stamp is %q, %v", arch, text, err)
		}
		sections(t, before, after)
		if sha256.Sum256(after) != sha256.Sum256(add(t, before, info)) {
			t.Errorf("%s: the same program gives other bytes", arch)
		}
		if !bytes.Equal(after, add(t, after, resource.Info{Version: [4]uint16{1}})) {
			t.Errorf("%s: a program with a version was changed", arch)
		}
	}
}

// sections: what the linker made is untouched and lies where it lay; the one new section is the last, and the image ends
// behind it.
func sections(t *testing.T, before, after []byte) {
	t.Helper()
	was, err := pe.NewFile(bytes.NewReader(before))
	if err != nil {
		t.Fatal(err)
	}
	is, err := pe.NewFile(bytes.NewReader(after))
	if err != nil {
		t.Fatal(err)
	}
	if len(is.Sections) != len(was.Sections)+1 {
		t.Fatalf("%d sections, there were %d", len(is.Sections), len(was.Sections))
	}
	for i, s := range was.Sections {
		old, _ := s.Data()
		now, _ := is.Sections[i].Data()
		if s.SectionHeader != is.Sections[i].SectionHeader || !bytes.Equal(old, now) {
			t.Errorf("section %s changed", s.Name)
		}
	}
	last := is.Sections[len(is.Sections)-1]
	end := (last.VirtualAddress + last.VirtualSize + 0xFFF) &^ 0xFFF
	size := uint32(0)
	switch h := is.OptionalHeader.(type) {
	case *pe.OptionalHeader64:
		size = h.SizeOfImage
	case *pe.OptionalHeader32:
		size = h.SizeOfImage
	}
	if last.Name != ".rsrc" || size != end || int(last.Offset+last.Size) != len(after) {
		t.Errorf("%+v, image of %#x, file of %#x", last.SectionHeader, size, len(after))
	}
}

func TestAnElevatedProgramRequiresAnAdministrator(t *testing.T) {
	i := info
	i.Elevated = true
	if b := add(t, program(t, "amd64"), i); !bytes.Contains(b, []byte(`level="requireAdministrator"`)) ||
		bytes.Contains(b, []byte("asInvoker")) {
		t.Error("it does not ask for an administrator")
	}
}

// What is no program, or a signed one, comes out as it went in.
func TestSignedProgramsAndOtherFilesAreNotChanged(t *testing.T) {
	signed := program(t, "amd64")
	directory := int(binary.LittleEndian.Uint32(signed[60:])) + 24 + 112 + 4*8
	binary.LittleEndian.PutUint32(signed[directory:], uint32(len(signed)))
	binary.LittleEndian.PutUint32(signed[directory+4:], 8)
	signed = append(signed, "8 bytes."...)
	for name, b := range map[string][]byte{"nothing": nil, "text": []byte("program x"), "half a header": signed[:70], "signed": signed} {
		if !bytes.Equal(add(t, b, info), b) {
			t.Errorf("%s was changed", name)
		}
		if _, _, err := resource.Read(bytes.NewReader(b)); !errors.Is(err, resource.ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestATextWithAZeroByteIsRefused(t *testing.T) {
	i := info
	i.Product = "a\x00b"
	if err := resource.Add(&bytes.Buffer{}, program(t, "amd64"), i); err == nil || !strings.Contains(err.Error(), "NUL") {
		t.Errorf("a zero byte: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	good := add(f, program(f, "amd64"), info)
	at, err := pe.NewFile(bytes.NewReader(good))
	if err != nil {
		f.Fatal(err)
	}
	// Only the last section is looked at: a small file that keeps it finds more.
	section := at.Sections[len(at.Sections)-1]
	data, _ := section.Data()
	f.Add(data)
	head := bytes.Clone(good[:section.Offset])
	f.Fuzz(func(t *testing.T, rsrc []byte) {
		if uint64(len(rsrc)) < uint64(section.Size) {
			rsrc = append(rsrc, make([]byte, int(section.Size)-len(rsrc))...)
		}
		_, _, _ = resource.Read(bytes.NewReader(append(head[:len(head):len(head)], rsrc...)))
	})
}
