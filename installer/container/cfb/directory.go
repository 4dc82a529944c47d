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
		at    uint32
		above string // path of the storage, with a slash behind it
	}
	le := binary.LittleEndian
	names, seen := make([]string, len(b)/entrySize), make([]bool, len(b)/entrySize)
	seen[0] = true
	for todo := []step{{le.Uint32(b[76:]), ""}}; len(todo) > 0; {
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
		if child := le.Uint32(e[76:]); child != noEntry && e[66] == typeStorage {
			todo = append(todo, step{child, s.above + name + "/"})
		}
		todo = append(todo, step{le.Uint32(e[68:]), s.above}, step{le.Uint32(e[72:]), s.above})
	}
	return names, nil
}

func nameOf(e []byte) (string, error) {
	le := binary.LittleEndian
	length := int(le.Uint16(e[64:]))
	if length < 4 || length > 64 || length%2 != 0 {
		return "", fmt.Errorf("%w: a name of %d bytes", ErrFormat, length)
	}
	units := make([]uint16, length/2-1)
	for i := range units {
		units[i] = le.Uint16(e[2*i:])
	}
	return string(utf16.Decode(units)), nil
}

// Check follows the chains of all streams: each is long enough, and no sector belongs to two of them. slack is the number of bytes
// that belong to nothing: free sectors, and what lies behind the last one. Errors: ErrFormat.
func (f *File) Check() (slack int64, err error) {
	used := make([]bool, f.sectors)
	mark := func(chain []uint32) error {
		for _, n := range chain {
			if int64(n) >= f.sectors || used[n] {
				return fmt.Errorf("%w: sector %d belongs to two chains, or to none of the file's", ErrFormat, n)
			}
			used[n] = true
		}
		return nil
	}
	if err := mark(f.tables); err != nil {
		return 0, err
	}
	starts := f.chains
	for _, name := range f.Names {
		p := f.streams[name]
		if p.size < miniCutoff {
			if _, err := f.Stream(name); err != nil {
				return 0, err
			}
			continue
		}
		chain, err := follow(f.fat, p.start)
		if err != nil || int64(len(chain)) < pieces(p.size, f.sector) {
			return 0, fmt.Errorf("%w: the chain of %q", ErrFormat, name)
		}
		starts = append(starts[:len(starts):len(starts)], p.start)
	}
	for _, start := range starts {
		chain, err := follow(f.fat, start)
		if err != nil {
			return 0, err
		}
		if err := mark(chain); err != nil {
			return 0, err
		}
	}
	slack = f.size - f.sector
	for n, in := range used {
		if in {
			slack -= min(f.sector, f.size-(int64(n)+1)*f.sector)
		}
	}
	return slack, nil
}
