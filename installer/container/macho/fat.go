// Package macho puts programs for several architectures into one universal ("fat") Mach-O file, and checks the ad-hoc code
// signature of a program.
//
// A universal file is a big-endian header that lists the slices, and the slices, each at a multiple of 16 KiB (the page of
// darwin/arm64). The slices are the linker's files byte for byte: a Mach-O is never touched after linking, because its
// signature is over its own bytes. Go's linker signs darwin/arm64 ad hoc and leaves darwin/amd64 unsigned; both stay so.
//
// Parties: installer/pack makes universal programs and looks at signatures before it packs. What is checked here is what can be
// computed from the file: every page against the digest that the code directory states. Nothing is run, nothing is claimed
// about a system that would.
package macho

import (
	"debug/macho"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrFormat says that a file is no Mach-O of the kind that is needed.
var ErrFormat = errors.New("mach-o")

const (
	alignBits = 14 // 16 KiB
	align     = 1 << alignBits
	fatHeader = 8
	fatEntry  = 20
)

// Universal writes a universal file of slices for different architectures, in the order given.
func Universal(w io.Writer, slices ...*io.SectionReader) error {
	if len(slices) == 0 {
		return fmt.Errorf("%w: no slices", ErrFormat)
	}
	head := words(macho.MagicFat, uint32(len(slices)))
	at := int64(fatHeader + fatEntry*len(slices))
	seen := map[uint32]bool{}
	for _, s := range slices {
		cpu, sub, err := kindOf(s)
		if err != nil {
			return err
		}
		if seen[cpu] {
			return fmt.Errorf("%w: two slices for %s", ErrFormat, macho.Cpu(cpu))
		}
		seen[cpu] = true
		at = up(at)
		if at+s.Size() > 1<<32-1 {
			return fmt.Errorf("%w: more than 4 GiB", ErrFormat)
		}
		head = append(head, words(cpu, sub, uint32(at), uint32(s.Size()), alignBits)...)
		at += s.Size()
	}
	return writeSlices(w, head, slices)
}

// writeSlices writes the header and the slices with zeroes between them.
func writeSlices(w io.Writer, head []byte, slices []*io.SectionReader) error {
	if _, err := w.Write(head); err != nil {
		return err
	}
	at := int64(len(head))
	for _, s := range slices {
		if _, err := w.Write(make([]byte, up(at)-at)); err != nil {
			return err
		}
		n, err := io.Copy(w, io.NewSectionReader(s, 0, s.Size()))
		if err != nil {
			return err
		}
		if n != s.Size() {
			return io.ErrUnexpectedEOF
		}
		at = up(at) + n
	}
	return nil
}

// kindOf reads the processor of a 64-bit program from its header.
func kindOf(s *io.SectionReader) (cpu, sub uint32, err error) {
	var b [12]byte
	if _, err := s.ReadAt(b[:], 0); err != nil {
		return 0, 0, fmt.Errorf("%w: header: %w", ErrFormat, err)
	}
	if binary.LittleEndian.Uint32(b[:]) != macho.Magic64 {
		return 0, 0, fmt.Errorf("%w: a slice is no 64-bit program", ErrFormat)
	}
	return binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:]), nil
}

func up(n int64) int64 { return (n + align - 1) &^ (align - 1) }

func words(list ...uint32) []byte {
	var b []byte
	for _, v := range list {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}
