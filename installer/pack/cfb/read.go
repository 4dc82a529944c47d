package cfb

import (
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf16"
)

// File is a compound file that was read.
type File struct {
	Class [16]byte
	Names []string // in the order of the directory

	streams map[string]place
	r       io.ReaderAt
	fat     []uint32
	miniFAT []uint32
	mini    []uint32 // sectors of the mini stream
	sectors int64
}

type place struct {
	start uint32
	size  int64
}

// Open reads the directory of a version 3 file of a size: streams below the root, as [Write] makes them.
func Open(r io.ReaderAt, size int64) (*File, error) {
	h := make([]byte, sector)
	if n, err := r.ReadAt(h, 0); n < sector {
		return nil, fmt.Errorf("%w: %d bytes: %w", ErrFormat, n, err)
	}
	le := binary.LittleEndian
	if [8]byte(h) != magic || le.Uint16(h[26:]) != majorVersion || le.Uint16(h[30:]) != 9 || le.Uint16(h[32:]) != 6 {
		return nil, fmt.Errorf("%w: header", ErrFormat)
	}
	f := &File{r: r, sectors: pieces(size, sector) - 1, streams: map[string]place{}}
	if err := f.readFAT(h); err != nil {
		return nil, err
	}
	miniFAT, err := f.load(le.Uint32(h[60:]))
	if err != nil {
		return nil, err
	}
	f.miniFAT = words(miniFAT)
	directory, err := f.load(le.Uint32(h[48:]))
	if err != nil {
		return nil, err
	}
	return f, f.readDirectory(directory)
}

func words(b []byte) []uint32 {
	out := make([]uint32, len(b)/4)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return out
}

func (f *File) sector(n uint32) ([]byte, error) {
	if int64(n) >= f.sectors {
		return nil, fmt.Errorf("%w: sector %d of %d", ErrFormat, n, f.sectors)
	}
	b := make([]byte, sector)
	got, err := f.r.ReadAt(b, (int64(n)+1)*sector)
	if got == sector || err == io.EOF && got > 0 {
		return b, nil
	}
	return nil, fmt.Errorf("%w: sector %d: %w", ErrFormat, n, err)
}

// readFAT follows the places of the FAT.
func (f *File) readFAT(h []byte) error {
	places := words(h[76:])
	next := binary.LittleEndian.Uint32(h[68:])
	for range f.sectors {
		if next >= maxRegular {
			break
		}
		b, err := f.sector(next)
		if err != nil {
			return err
		}
		w := words(b)
		places, next = append(places, w[:perSector-1]...), w[perSector-1]
	}
	for _, at := range places {
		if at == freeSector {
			continue
		}
		if int64(len(f.fat)) > f.sectors+perSector {
			return fmt.Errorf("%w: the FAT is longer than the file", ErrFormat)
		}
		b, err := f.sector(at)
		if err != nil {
			return err
		}
		f.fat = append(f.fat, words(b)...)
	}
	return nil
}

// follow lists a chain.
func follow(fat []uint32, start uint32) ([]uint32, error) {
	var list []uint32
	for at := start; at != endOfChain; at = fat[at] {
		if int64(at) >= int64(len(fat)) || len(list) > len(fat) {
			return nil, fmt.Errorf("%w: the chain of sector %d", ErrFormat, start)
		}
		list = append(list, at)
	}
	return list, nil
}

// load reads a whole chain.
func (f *File) load(start uint32) ([]byte, error) {
	chain, err := follow(f.fat, start)
	if err != nil {
		return nil, err
	}
	var b []byte
	for _, n := range chain {
		s, err := f.sector(n)
		if err != nil {
			return nil, err
		}
		b = append(b, s...)
	}
	return b, nil
}

func (f *File) readDirectory(b []byte) error {
	le := binary.LittleEndian
	if len(b) < entrySize || b[66] != typeRoot {
		return fmt.Errorf("%w: no root", ErrFormat)
	}
	copy(f.Class[:], b[80:96])
	var err error
	if f.mini, err = follow(f.fat, le.Uint32(b[116:])); err != nil {
		return err
	}
	for e := b[entrySize:]; len(e) >= entrySize; e = e[entrySize:] {
		length := int(le.Uint16(e[64:]))
		if e[66] != typeStream {
			continue
		}
		if length < 4 || length > 64 || length%2 != 0 {
			return fmt.Errorf("%w: a name of %d bytes", ErrFormat, length)
		}
		units := make([]uint16, length/2-1)
		for i := range units {
			units[i] = le.Uint16(e[2*i:])
		}
		name := string(utf16.Decode(units))
		f.Names = append(f.Names, name)
		f.streams[name] = place{le.Uint32(e[116:]), int64(le.Uint32(e[120:]))}
	}
	return nil
}

// Size is the size of a stream in bytes, -1 without such a stream.
func (f *File) Size(name string) int64 {
	p, ok := f.streams[name]
	if !ok {
		return -1
	}
	return p.size
}

// Stream reads a whole stream.
func (f *File) Stream(name string) ([]byte, error) {
	p, ok := f.streams[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: no stream %q", ErrFormat, name)
	case p.size > f.sectors*sector:
		return nil, fmt.Errorf("%w: stream %q is larger than the file", ErrFormat, name)
	case p.size == 0:
		return nil, nil
	case p.size < miniCutoff:
		return f.small(p)
	}
	chain, err := follow(f.fat, p.start)
	if err != nil {
		return nil, err
	}
	return f.gather(p, chain, sector, f.sector)
}

func (f *File) small(p place) ([]byte, error) {
	chain, err := follow(f.miniFAT, p.start)
	if err != nil {
		return nil, err
	}
	return f.gather(p, chain, miniSector, func(n uint32) ([]byte, error) {
		i := int(n) / (sector / miniSector)
		if i >= len(f.mini) {
			return nil, fmt.Errorf("%w: mini sector %d", ErrFormat, n)
		}
		b, err := f.sector(f.mini[i])
		if err != nil {
			return nil, err
		}
		at := int(n) % (sector / miniSector) * miniSector
		return b[at : at+miniSector], nil
	})
}

// gather joins the pieces of a chain and cuts them to the stream's size.
func (f *File) gather(p place, chain []uint32, unit int64, piece func(uint32) ([]byte, error)) ([]byte, error) {
	if int64(len(chain)) < pieces(p.size, unit) {
		return nil, fmt.Errorf("%w: a chain ends early", ErrFormat)
	}
	out := make([]byte, 0, p.size+unit)
	for _, n := range chain[:pieces(p.size, unit)] {
		b, err := piece(n)
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out[:p.size], nil
}
