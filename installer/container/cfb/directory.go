package cfb

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"
)

// readDirectory walks the tree of entries from the root: each has one place in it, each stream is reached, and all streams together
// fit into the file.
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
	f.chains = append(f.chains, le.Uint32(b[116:]))
	names, err := paths(b)
	if err != nil {
		return err
	}
	var total int64
	for i := range names {
		e := b[i*entrySize:][:entrySize]
		if e[66] != typeStream {
			continue
		}
		if names[i] == "" {
			return fmt.Errorf("%w: entry %d of the directory is in no storage", ErrFormat, i)
		}
		p := extent{le.Uint32(e[116:]), int64(le.Uint32(e[120:]))}
		if total += p.size; total > f.size {
			return fmt.Errorf("%w: streams larger than the file", ErrFormat)
		}
		f.Names = append(f.Names, names[i])
		f.streams[names[i]] = p
	}
	return nil
}

// paths are the names of all entries by their place in the directory; empty for the root and for those that no storage holds.
func paths(b []byte) ([]string, error) {
	type step struct {
		at        uint32
		above     string // path of the storage, with a slash behind it
		low, high uint32 // entries that the names below it lie between; noEntry for none
	}
	le := binary.LittleEndian
	names, seen := make([]string, len(b)/entrySize), make([]bool, len(b)/entrySize)
	seen[0] = true
	for todo := []step{{le.Uint32(b[76:]), "", noEntry, noEntry}}; len(todo) > 0; {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if s.at == noEntry {
			continue
		}
		if int64(s.at) >= int64(len(seen)) || seen[s.at] {
			return nil, fmt.Errorf("%w: its directory goes in circles", ErrFormat)
		}
		seen[s.at] = true
		e := b[int(s.at)*entrySize:][:entrySize]
		name, err := nameOf(e)
		if err != nil {
			return nil, err
		}
		names[s.at] = s.above + name
		if err := inOrder(b, s.at, s.low, s.high); err != nil {
			return nil, err
		}
		if child := le.Uint32(e[76:]); child != noEntry && e[66] == typeStorage {
			todo = append(todo, step{child, s.above + name + "/", noEntry, noEntry})
		}
		todo = append(todo, step{le.Uint32(e[68:]), s.above, s.low, s.at}, step{le.Uint32(e[72:]), s.above, s.at, s.high})
	}
	return names, nil
}

// inOrder refuses an entry whose name does not lie between two others: a reader that looks for a name would not find it.
func inOrder(b []byte, at, low, high uint32) error {
	key := func(n uint32) []uint16 {
		units, err := unitsOf(b[int(n)*entrySize:][:entrySize])
		if err != nil {
			return nil
		}
		return upper(units)
	}
	if low != noEntry && compare(key(low), key(at)) >= 0 || high != noEntry && compare(key(at), key(high)) >= 0 {
		return fmt.Errorf("%w: its directory is not in order", ErrFormat)
	}
	return nil
}

func nameOf(e []byte) (string, error) {
	units, err := unitsOf(e)
	return string(utf16.Decode(units)), err
}

// unitsOf is the name of an entry in UTF-16.
func unitsOf(e []byte) ([]uint16, error) {
	le := binary.LittleEndian
	length := int(le.Uint16(e[64:]))
	if length < 4 || length > 64 || length%2 != 0 {
		return nil, fmt.Errorf("%w: a name of %d bytes", ErrFormat, length)
	}
	units := make([]uint16, length/2-1)
	for i := range units {
		units[i] = le.Uint16(e[2*i:])
	}
	return units, nil
}
