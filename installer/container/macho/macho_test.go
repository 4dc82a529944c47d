package macho_test

import (
	"bytes"
	"debug/macho"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	ours "github.com/ssm-setup/ssm-setup/installer/container/macho"
)

// hello cross-compiles a small program the way packages are built: static and stripped.
func hello(t testing.TB, arch string) []byte {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module hello\n\ngo 1.25\n")
	write("main.go", "package main\n\nfunc main() { println(\"hello\") }\n")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", "hello")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=darwin", "GOARCH="+arch, "GOFLAGS=-buildvcs=false", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "hello"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// programs are compiled once for all tests.
var programs = struct {
	sync.Mutex
	made map[string][]byte
}{made: map[string][]byte{}}

func program(t testing.TB, arch string) []byte {
	programs.Lock()
	defer programs.Unlock()
	if programs.made[arch] == nil {
		programs.made[arch] = hello(t, arch)
	}
	return slices.Clone(programs.made[arch])
}

func section(b []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))
}

// The slices are in the file byte for byte, at multiples of 16 KiB, where a reader that is not ours finds them.
func TestAUniversalFileHoldsItsSlicesUnchanged(t *testing.T) {
	want := [][]byte{program(t, "amd64"), program(t, "arm64")}
	var b bytes.Buffer
	if err := ours.Universal(&b, section(want[0]), section(want[1])); err != nil {
		t.Fatal(err)
	}
	f, err := macho.NewFatFile(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Arches) != 2 || f.Arches[0].Cpu != macho.CpuAmd64 || f.Arches[1].Cpu != macho.CpuArm64 {
		t.Fatalf("%+v", f.Arches)
	}
	for i, a := range f.Arches {
		if a.Offset%(16<<10) != 0 || a.Align != 14 || a.SubCpu != a.FileHeader.SubCpu {
			t.Errorf("slice %d: %+v", i, a.FatArchHeader)
		}
		slice := b.Bytes()[a.Offset:][:a.Size]
		if !bytes.Equal(slice, want[i]) {
			t.Errorf("slice %d was touched", i)
		}
	}
	if _, err := ours.Check(bytes.NewReader(b.Bytes()[f.Arches[1].Offset:])); err != nil {
		t.Errorf("the signature inside: %v", err)
	}
}

func TestSlicesThatDoNotFitAreRefused(t *testing.T) {
	arm := program(t, "arm64")
	for what, list := range map[string][]*io.SectionReader{
		"nothing": nil, "twice": {section(arm), section(arm)}, "text": {section([]byte("#!/bin/sh\necho hello\n"))}, "empty": {section(nil)},
		"4 GiB": {io.NewSectionReader(bytes.NewReader(arm), 0, 1<<32)},
	} {
		if err := ours.Universal(io.Discard, list...); !errors.Is(err, ours.ErrFormat) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// 2 GiB slices stand in the header; only the header is written before the missing bytes are noticed.
func TestASliceOfTwoGiBIsDescribed(t *testing.T) {
	amd, arm := program(t, "amd64"), program(t, "arm64")
	var b bytes.Buffer
	err := ours.Universal(&b, io.NewSectionReader(bytes.NewReader(arm), 0, 2<<30), section(amd))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if at := binary.BigEndian.Uint32(b.Bytes()[8+20+8:]); at != 2<<30+16<<10 {
		t.Errorf("the second slice is at %d", at)
	}
}

// What Go's linker leaves: arm64 signed ad hoc over every page, amd64 not signed.
func TestSignaturesOfTheLinkerAreIntact(t *testing.T) {
	b := program(t, "arm64")
	d, err := ours.Check(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if !d.AdHoc || !d.ByLinker || d.Identifier == "" || d.Pages < 100 || d.Limit < int64(len(b))*9/10 {
		t.Errorf("%+v", d)
	}
	if _, err := ours.Check(bytes.NewReader(program(t, "amd64"))); !errors.Is(err, ours.ErrUnsigned) {
		t.Errorf("amd64: %v", err)
	}
}

// One bit anywhere in what is covered is noticed.
func TestAnyChangedBitIsNoticed(t *testing.T) {
	whole := program(t, "arm64")
	d, err := ours.Check(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int64{4096 + 1, d.Limit / 2, d.Limit - 1} {
		b := slices.Clone(whole)
		b[at] ^= 1
		if _, err := ours.Check(bytes.NewReader(b)); !errors.Is(err, ours.ErrChanged) {
			t.Errorf("byte %d of %d: %v", at, d.Limit, err)
		}
	}
	if _, err := ours.Check(bytes.NewReader(whole[:d.Limit])); !errors.Is(err, ours.ErrFormat) {
		t.Errorf("cut before the signature: %v", err)
	}
}

// tiny is a Mach-O header with one load command that names a signature of the given bytes.
func tiny(signature []byte) []byte {
	le := binary.LittleEndian
	var b []byte
	for _, v := range []uint32{macho.Magic64, uint32(macho.CpuArm64), 0, 2, 1, 16, 0, 0, 0x1d, 16, 48, uint32(len(signature))} {
		b = le.AppendUint32(b, v)
	}
	return append(b, signature...)
}

// Slices of any number and size lie in the file byte for byte, aligned, one behind the other; a reader that is not ours agrees.
func TestAnySlicesAreReadBack(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		var want [][]byte
		var sections []*io.SectionReader
		for i := range 1 + random.IntN(20) {
			b := tiny(make([]byte, 16+random.IntN(70000)))
			for j := 48; j < len(b); j++ {
				b[j] = byte(random.Uint32())
			}
			binary.LittleEndian.PutUint32(b[4:], uint32(1<<24+7+i)) // each for a processor of its own
			want = append(want, b)
			sections = append(sections, section(b))
		}
		var out bytes.Buffer
		if err := ours.Universal(&out, sections...); err != nil {
			t.Fatal(err)
		}
		f, err := macho.NewFatFile(bytes.NewReader(out.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		end := uint32(0)
		for i, a := range f.Arches {
			if a.Offset%(1<<14) != 0 || a.Offset < end || !bytes.Equal(out.Bytes()[a.Offset:][:a.Size], want[i]) {
				t.Fatalf("slice %d of %d: %+v", i, len(want), a.FatArchHeader)
			}
			end = a.Offset + a.Size
		}
		if len(f.Arches) != len(want) || int(end) != out.Len() {
			t.Fatalf("%d of %d slices, %d bytes of %d", len(f.Arches), len(want), end, out.Len())
		}
	}
}

// FuzzUniversal: what is no 64-bit program is refused; what is taken comes out as it went in.
func FuzzUniversal(f *testing.F) {
	f.Add(tiny(make([]byte, 20)))
	f.Add([]byte("#!/bin/sh\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		err := ours.Universal(&out, section(b))
		if err != nil && !errors.Is(err, ours.ErrFormat) {
			t.Error(err)
		}
		if err == nil && !bytes.HasSuffix(out.Bytes(), b) {
			t.Error("the slice was touched")
		}
	})
}

func FuzzCheck(f *testing.F) {
	be := binary.BigEndian
	var sig []byte
	for _, v := range []uint32{0xfade0cc0, 0, 1, 0, 20, 0xfade0c02, 80, 0x20400, 2, 48, 44, 0, 1, 48, 0x20020000 | 12, 0, 0x61000000} {
		sig = be.AppendUint32(sig, v)
	}
	f.Add(tiny(append(sig, make([]byte, 40)...)))
	f.Add(tiny(sig[:20]))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := ours.Check(bytes.NewReader(b)); err != nil && !errors.Is(err, ours.ErrFormat) && !errors.Is(err, ours.ErrUnsigned) &&
			!errors.Is(err, ours.ErrChanged) {
			t.Error(err)
		}
	})
}
