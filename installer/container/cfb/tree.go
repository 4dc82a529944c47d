package cfb

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

func newEntry(s Stream) (entry, error) {
	e := entry{Stream: s, units: utf16.Encode([]rune(s.Name)), left: noEntry, right: noEntry, child: noEntry, color: black}
	switch {
	case len(e.units) == 0 || len(e.units) > MaxName:
		return e, fmt.Errorf("%w: %q has %d units, 1 to %d are possible", ErrName, s.Name, len(e.units), MaxName)
	case !utf8.ValidString(s.Name) || strings.ContainsAny(s.Name, "/\\:!\x00"):
		return e, fmt.Errorf("%w: %q", ErrName, s.Name)
	case s.Size < 0 || s.Size > MaxStream:
		return e, fmt.Errorf("%w: stream %q has %d bytes", ErrSize, s.Name, s.Size)
	}
	e.key = upper(e.units)
	return e, nil
}

// upper is the upper case that the order looks at: unit by unit.
func upper(units []uint16) []uint16 {
	out := make([]uint16, len(units))
	for i, u := range units {
		out[i] = u
		if r := unicode.ToUpper(rune(u)); r <= 0xFFFF && !utf16.IsSurrogate(rune(u)) {
			out[i] = uint16(r)
		}
	}
	return out
}

// compare is the order of the directory: shorter names first.
func compare(a, b []uint16) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return slices.Compare(a, b)
}

// tree links the entries.
func (p *plan) tree() error {
	order := make([]uint32, 0, len(p.entries))
	for i := range p.entries[1:] {
		order = append(order, uint32(i+1))
	}
	slices.SortFunc(order, func(a, b uint32) int { return compare(p.entries[a].key, p.entries[b].key) })
	for i := range len(order) - 1 {
		if a, b := p.entries[order[i]], p.entries[order[i+1]]; compare(a.key, b.key) == 0 {
			return fmt.Errorf("%w: there is %q and %q", ErrName, a.Name, b.Name)
		}
	}
	full := bits.Len(uint(len(order)+1)) - 1 // rows without a gap; what lies below is red
	p.entries[0].child = p.balance(order, full)
	return nil
}

// balance makes a tree of a sorted list and returns its top.
func (p *plan) balance(order []uint32, rows int) uint32 {
	if len(order) == 0 {
		return noEntry
	}
	middle := len(order) / 2
	e := &p.entries[order[middle]]
	if rows <= 0 {
		e.color = red
	}
	e.left = p.balance(order[:middle], rows-1)
	e.right = p.balance(order[middle+1:], rows-1)
	return order[middle]
}

// directory is all entries; the last sector is filled with empty ones.
func (p *plan) directory() []byte {
	b := make([]byte, 0, int(p.nDirectory)*sector)
	for i, e := range p.entries {
		kind, class := byte(typeStream), [16]byte{}
		if i == 0 {
			kind, class, e.units = typeRoot, p.class, utf16.Encode([]rune("Root Entry"))
		}
		b = e.append(b, kind, class)
	}
	for len(b) < cap(b) {
		b = (entry{left: noEntry, right: noEntry, child: noEntry}).append(b, 0, [16]byte{})
	}
	return b
}

func (e entry) append(b []byte, kind byte, class [16]byte) []byte {
	le := binary.LittleEndian
	name := make([]byte, 64)
	for i, u := range e.units {
		le.PutUint16(name[2*i:], u)
	}
	b = append(b, name...)
	length := 0
	if kind != 0 {
		length = 2*len(e.units) + 2
	}
	b = le.AppendUint16(b, uint16(length))
	b = append(b, kind, e.color)
	for _, v := range []uint32{e.left, e.right, e.child} {
		b = le.AppendUint32(b, v)
	}
	b = append(b, class[:]...)
	b = append(b, make([]byte, 20)...) // state, times
	b = le.AppendUint32(b, e.start)
	return le.AppendUint64(b, uint64(e.Size))
}
