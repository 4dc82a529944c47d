package cfb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// Stream is one file in a compound file.
type Stream struct {
	Name string
	Size int64     // bytes that From gives
	From io.Reader // read once, to Size
}

// Bytes is a stream of bytes.
func Bytes(name string, b []byte) Stream {
	return Stream{Name: name, Size: int64(len(b)), From: bytes.NewReader(b)}
}

// Write writes a compound file. class is the root's CLSID as it stands in the file (first three parts little-endian).
func Write(w io.Writer, class [16]byte, streams []Stream) error {
	p, err := newPlan(class, streams)
	if err != nil {
		return err
	}
	for _, part := range [][]byte{p.header(), p.difat(), p.fat(), p.directory(), p.miniFAT()} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return p.streams(w)
}

// plan says where everything lies. Counts are in sectors, places count sectors behind the header.
type plan struct {
	class   [16]byte
	entries []entry // the root first
	mini    int64   // mini sectors

	nDIFAT, nFAT, nDirectory, nMiniFAT, nMini, nData uint32
}

// entry is one row of the directory.
type entry struct {
	Stream
	units              []uint16
	key                []uint16 // upper case
	left, right, child uint32
	color              byte
	start              uint32 // first sector, or first mini sector
}

func (e entry) small() bool { return e.Size < miniCutoff }

func newPlan(class [16]byte, streams []Stream) (*plan, error) {
	p := &plan{class: class, entries: []entry{{left: noEntry, right: noEntry, child: noEntry, color: black}}}
	for _, s := range streams {
		e, err := newEntry(s)
		if err != nil {
			return nil, err
		}
		p.entries = append(p.entries, e)
	}
	if err := p.tree(); err != nil {
		return nil, err
	}
	return p, p.assignSectors()
}

// assignSectors gives every part its sectors.
func (p *plan) assignSectors() error {
	var data int64
	for _, e := range p.entries[1:] {
		if e.small() {
			p.mini += pieces(e.Size, miniSector)
		} else {
			data += pieces(e.Size, sector)
		}
	}
	mini := pieces(p.mini*miniSector, sector)
	miniFAT := pieces(p.mini, perSector)
	directory := pieces(int64(len(p.entries)), sector/entrySize)
	fixed := data + mini + miniFAT + directory
	if fixed > maxRegular/2 {
		return fmt.Errorf("%w: %d sectors", ErrSize, fixed)
	}
	fat, difat := int64(0), int64(0)
	for {
		wantFAT := pieces(fixed+fat+difat, perSector)
		wantDIFAT := pieces(max(0, wantFAT-headerDIFAT), perSector-1)
		if wantFAT == fat && wantDIFAT == difat {
			break
		}
		fat, difat = wantFAT, wantDIFAT
	}
	p.nDIFAT, p.nFAT, p.nDirectory = uint32(difat), uint32(fat), uint32(directory)
	p.nMiniFAT, p.nMini, p.nData = uint32(miniFAT), uint32(mini), uint32(data)
	p.chain()
	return nil
}

// chain gives every stream its first sector.
func (p *plan) chain() {
	small, large := uint32(0), p.miniAt()+p.nMini
	for i := range p.entries[1:] {
		e := &p.entries[i+1]
		switch {
		case e.Size == 0:
			e.start = endOfChain
		case e.small():
			e.start = small
			small += uint32(pieces(e.Size, miniSector))
		default:
			e.start = large
			large += uint32(pieces(e.Size, sector))
		}
	}
	root := &p.entries[0]
	root.start, root.Size = endOfChain, p.mini*miniSector
	if p.nMini > 0 {
		root.start = p.miniAt()
	}
}

func (p *plan) fatAt() uint32       { return p.nDIFAT }
func (p *plan) directoryAt() uint32 { return p.fatAt() + p.nFAT }
func (p *plan) miniFATAt() uint32   { return p.directoryAt() + p.nDirectory }
func (p *plan) miniAt() uint32      { return p.miniFATAt() + p.nMiniFAT }

// pieces is how many pieces of a size hold n.
func pieces(n, size int64) int64 { return (n + size - 1) / size }

// streams writes the mini stream and all others.
func (p *plan) streams(w io.Writer) error {
	for _, small := range []bool{true, false} {
		written, unit := int64(0), int64(sector)
		if small {
			unit = miniSector
		}
		for _, e := range p.entries[1:] {
			if e.small() != small {
				continue
			}
			n, err := io.Copy(w, io.LimitReader(e.From, e.Size))
			if err == nil && n != e.Size {
				err = fmt.Errorf("stream %q: %w after %d of %d bytes", e.Name, io.ErrUnexpectedEOF, n, e.Size)
			}
			if err == nil {
				err = pad(w, pieces(e.Size, unit)*unit-e.Size)
			}
			if err != nil {
				return err
			}
			written += pieces(e.Size, unit) * unit
		}
		if err := pad(w, pieces(written, sector)*sector-written); err != nil {
			return err
		}
	}
	return nil
}

func pad(w io.Writer, n int64) error {
	_, err := w.Write(make([]byte, n))
	return err
}

// header is the first 512 bytes.
func (p *plan) header() []byte {
	b := make([]byte, 0, sector)
	le := binary.LittleEndian
	b = append(b, magic[:]...)
	b = append(b, make([]byte, 16)...)
	for _, v := range []uint16{minorVersion, majorVersion, 0xFFFE, 9, 6, 0, 0, 0} { // versions, byte order, sector shifts, reserved
		b = le.AppendUint16(b, v)
	}
	for _, v := range []uint32{0, p.nFAT, p.directoryAt(), 0, miniCutoff, first(p.miniFATAt(), p.nMiniFAT), p.nMiniFAT,
		first(0, p.nDIFAT), p.nDIFAT} {
		b = le.AppendUint32(b, v)
	}
	for i := range uint32(headerDIFAT) {
		b = le.AppendUint32(b, p.fatSector(i))
	}
	return b
}

func first(at, n uint32) uint32 {
	if n == 0 {
		return endOfChain
	}
	return at
}

// fatSector is where the n-th sector of the FAT lies.
func (p *plan) fatSector(n uint32) uint32 {
	if n < p.nFAT {
		return p.fatAt() + n
	}
	return freeSector
}

func (p *plan) difat() []byte {
	var b []byte
	next := uint32(headerDIFAT)
	for i := range p.nDIFAT {
		for range perSector - 1 {
			b = binary.LittleEndian.AppendUint32(b, p.fatSector(next))
			next++
		}
		if i+1 == p.nDIFAT {
			b = binary.LittleEndian.AppendUint32(b, endOfChain)
		} else {
			b = binary.LittleEndian.AppendUint32(b, i+1)
		}
	}
	return b
}

func (p *plan) fat() []byte {
	t := table{want: int(p.nFAT) * perSector}
	t.fill(difatSector, p.nDIFAT)
	t.fill(fatSector, p.nFAT)
	t.run(p.nDirectory)
	t.run(p.nMiniFAT)
	t.run(p.nMini)
	for _, e := range p.entries[1:] {
		if !e.small() {
			t.run(uint32(pieces(e.Size, sector)))
		}
	}
	return t.bytes()
}

func (p *plan) miniFAT() []byte {
	t := table{want: int(p.nMiniFAT) * perSector}
	for _, e := range p.entries[1:] {
		if e.small() {
			t.run(uint32(pieces(e.Size, miniSector)))
		}
	}
	return t.bytes()
}

// table is a FAT being made.
type table struct {
	b    []byte
	n    uint32
	want int
}

func (t *table) add(v uint32) { t.b = binary.LittleEndian.AppendUint32(t.b, v); t.n++ }

func (t *table) fill(v, times uint32) {
	for range times {
		t.add(v)
	}
}

// run adds a chain of neighbours.
func (t *table) run(length uint32) {
	for i := range length {
		if i+1 == length {
			t.add(endOfChain)
		} else {
			t.add(t.n + 1)
		}
	}
}

func (t *table) bytes() []byte {
	t.fill(freeSector, uint32(t.want)-t.n)
	return slices.Clip(t.b)
}
