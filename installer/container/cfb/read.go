package cfb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// File is a compound file that was read.
type File struct {
	Class [16]byte
	Names []string // of streams, in the order of the directory; one in a storage is called storage/stream

	streams map[string]extent
	r       io.ReaderAt
	sector  int64 // bytes of a sector
	fat     []uint32
	tables  []uint32 // sectors of the FAT itself
	miniFAT []uint32
	mini    []uint32 // sectors of the mini stream
	chains  []uint32 // where the other chains begin: mini FAT, directory, mini stream
	header  []byte   // the first sector
	entries []byte   // the directory as it stands
	difat   int      // how many of tables are places of the FAT
	sectors int64
	size    int64
}

type extent struct {
	start uint32
	size  int64
}

// Is tells whether a file that begins so could be a compound file.
func Is(head []byte) bool { return bytes.HasPrefix(head, magic[:]) }

// Open reads the directory of a file of a size in bytes, version 3 or 4, with or without storages. Everything that it holds is in
// bounds of the file's size, and no chain and no directory goes in circles. Errors: ErrFormat.
func Open(r io.ReaderAt, size int64) (*File, error) {
	h := make([]byte, headerSize)
	if n, err := r.ReadAt(h, 0); n < headerSize {
		return nil, fmt.Errorf("%w: %d bytes: %w", ErrFormat, n, err)
	}
	le := binary.LittleEndian
	unit, known := map[uint16]int64{majorVersion: sector, widerVersion: widerSector}[le.Uint16(h[26:])]
	if [8]byte(h) != magic || !known || int64(1)<<(le.Uint16(h[30:])&15) != unit || le.Uint16(h[32:]) != 6 {
		return nil, fmt.Errorf("%w: header", ErrFormat)
	}
	f := &File{r: r, sector: unit, sectors: pieces(size, unit) - 1, size: size, streams: map[string]extent{}}
	for _, at := range []int{44, 64, 72} { // sectors of FAT, mini FAT and DIFAT
		if int64(le.Uint32(h[at:])) > f.sectors {
			return nil, fmt.Errorf("%w: tables larger than the file", ErrFormat)
		}
	}
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
	f.chains = []uint32{le.Uint32(h[60:]), le.Uint32(h[48:])}
	f.header, f.entries = h, directory
	return f, f.readDirectory(directory)
}

func words(b []byte) []uint32 {
	out := make([]uint32, len(b)/4)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return out
}

func (f *File) readSector(n uint32) ([]byte, error) {
	if int64(n) >= f.sectors {
		return nil, fmt.Errorf("%w: sector %d of %d", ErrFormat, n, f.sectors)
	}
	b := make([]byte, f.sector)
	got, err := f.r.ReadAt(b, (int64(n)+1)*f.sector)
	if got == len(b) || err == io.EOF && got > 0 {
		return b, nil
	}
	return nil, fmt.Errorf("%w: sector %d: %w", ErrFormat, n, err)
}

// readFAT follows the places of the FAT.
func (f *File) readFAT(h []byte) error {
	places := words(h[76:])
	next, last := binary.LittleEndian.Uint32(h[68:]), f.sector/4-1
	for range f.sectors {
		if next >= maxRegular {
			break
		}
		b, err := f.readSector(next)
		if err != nil {
			return err
		}
		f.tables = append(f.tables, next)
		w := words(b)
		places, next = append(places, w[:last]...), w[last]
	}
	f.difat = len(f.tables)
	for _, at := range places {
		if at == freeSector {
			continue
		}
		if int64(len(f.fat)) > f.sectors+f.sector/4 {
			return fmt.Errorf("%w: the FAT is longer than the file", ErrFormat)
		}
		b, err := f.readSector(at)
		if err != nil {
			return err
		}
		f.tables, f.fat = append(f.tables, at), append(f.fat, words(b)...)
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
		s, err := f.readSector(n)
		if err != nil {
			return nil, err
		}
		b = append(b, s...)
	}
	return b, nil
}

// Size is the size of a stream in bytes, -1 without such a stream. The reader of installer/container/msi finds tables without rows
// by it; tests learn the size of a stream that is too large to be read.
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
	case p.size > f.size:
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
	return f.join(p, chain, f.sector, f.readSector)
}

func (f *File) small(p extent) ([]byte, error) {
	chain, err := follow(f.miniFAT, p.start)
	if err != nil {
		return nil, err
	}
	return f.join(p, chain, miniSector, func(n uint32) ([]byte, error) {
		each := int(f.sector / miniSector)
		i := int(n) / each
		if i >= len(f.mini) {
			return nil, fmt.Errorf("%w: mini sector %d", ErrFormat, n)
		}
		b, err := f.readSector(f.mini[i])
		if err != nil {
			return nil, err
		}
		at := int(n) % each * miniSector
		return b[at : at+miniSector], nil
	})
}

// join joins the pieces of a chain and cuts them to the stream's size.
func (f *File) join(p extent, chain []uint32, unit int64, piece func(uint32) ([]byte, error)) ([]byte, error) {
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
