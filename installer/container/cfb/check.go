package cfb

import (
	"encoding/binary"
	"fmt"
)

// Slack is what of a file belongs to no stream and describes none, in bytes. Streams and the names that lead to them are all that a
// signature covers; slack can hold anything.
type Slack struct {
	Bytes   int64 // free sectors, and what lies behind the last one
	Written int64 // bytes of slack, of the ends of sectors and of reserved fields that are not as Write leaves them
	Behind  int64 // those of Written that lie behind the last sector in use
}

// Check follows the chains of all streams: each is long enough, no sector belongs to two of them, and the tables agree with the
// header. Errors: ErrFormat.
func (f *File) Check() (Slack, error) {
	if err := f.checkHeader(); err != nil {
		return Slack{}, err
	}
	u := usage{File: f, used: make([]bool, f.sectors), filled: make([]int64, f.sectors)}
	for i, n := range f.tables {
		mark := uint32(fatSector)
		if i < f.difat {
			mark = difatSector
		}
		if int64(n) >= int64(len(f.fat)) || f.fat[n] != mark {
			return Slack{}, fmt.Errorf("%w: sector %d is a table and is not marked as one", ErrFormat, n)
		}
		if err := u.take([]uint32{n}, f.sector); err != nil {
			return Slack{}, err
		}
	}
	for _, start := range f.chains[:2] { // mini FAT and directory
		if err := u.chain(start, f.sectors*f.sector); err != nil {
			return Slack{}, err
		}
	}
	if err := u.streams(); err != nil {
		return Slack{}, err
	}
	return u.count()
}

// checkHeader compares what the header says with what is there.
func (f *File) checkHeader() error {
	le := binary.LittleEndian
	miniFAT := int64(len(f.miniFAT)) * 4 / f.sector
	if le.Uint16(f.header[28:]) != 0xFFFE || le.Uint32(f.header[56:]) != miniCutoff ||
		int(le.Uint32(f.header[44:])) != len(f.tables)-f.difat || int(le.Uint32(f.header[72:])) != f.difat ||
		int64(le.Uint32(f.header[64:])) != miniFAT {
		return fmt.Errorf("%w: the header does not fit the tables", ErrFormat)
	}
	return nil
}

// usage is which bytes of a file belong to something.
type usage struct {
	*File
	used   []bool  // sectors that belong to a chain or are tables
	filled []int64 // how many bytes of each, from its start
	mini   []int64 // the same of mini sectors
}

// take gives sectors to one owner, which has so many bytes in them.
func (u *usage) take(list []uint32, size int64) error {
	for _, n := range list {
		if int64(n) >= u.sectors || u.used[n] {
			return fmt.Errorf("%w: sector %d belongs to two chains, or to none of the file's", ErrFormat, n)
		}
		u.used[n], u.filled[n] = true, max(0, min(u.sector, size))
		size -= u.sector
	}
	return nil
}

func (u *usage) chain(start uint32, size int64) error {
	list, err := follow(u.fat, start)
	if err != nil {
		return err
	}
	return u.take(list, size)
}

// streams follows all streams, the small ones in the mini stream.
func (u *usage) streams() error {
	u.mini = make([]int64, min(int64(len(u.miniFAT)), int64(len(u.File.mini))*u.sector/miniSector))
	small := make([]bool, len(u.mini))
	for _, name := range u.Names {
		p := u.File.streams[name]
		fat, unit := u.fat, u.sector
		if p.size < miniCutoff {
			fat, unit = u.miniFAT, miniSector
		}
		if p.size == 0 {
			continue
		}
		list, err := follow(fat, p.start)
		if err != nil || int64(len(list)) < pieces(p.size, unit) {
			return fmt.Errorf("%w: the chain of %q", ErrFormat, name)
		}
		if unit == u.sector {
			if err := u.take(list, p.size); err != nil {
				return err
			}
			continue
		}
		for i, n := range list {
			if int64(n) >= int64(len(small)) || small[n] {
				return fmt.Errorf("%w: mini sector %d belongs to two streams", ErrFormat, n)
			}
			small[n], u.mini[n] = true, max(0, min(miniSector, p.size-int64(i)*miniSector))
		}
	}
	return u.take(u.File.mini, int64(len(u.File.mini))*u.sector)
}

// count reads everything that is not content.
func (u *usage) count() (s Slack, err error) {
	last := int64(len(u.used)) - 1
	for ; last >= 0 && !u.used[last]; last-- {
	}
	inMini := map[uint32]int64{}
	for i, n := range u.File.mini {
		inMini[n] = int64(i)
	}
	for n := range u.sectors {
		if !u.used[n] {
			s.Bytes += min(u.sector, u.size-(n+1)*u.sector)
		}
		i, mini := inMini[uint32(n)]
		if u.used[n] && u.filled[n] == u.sector && !mini {
			continue
		}
		b, err := u.readSector(uint32(n))
		if err != nil {
			return s, err
		}
		other := written(b[u.filled[n]:])
		if mini {
			other = u.inMiniSector(b, i*u.sector/miniSector)
		}
		if s.Written += other; n > last {
			s.Behind += other
		}
	}
	if over := u.size % u.sector; over != 0 && last == u.sectors-1 { // Write leaves whole sectors
		s.Written += u.sector - over
	}
	fields, err := u.fields()
	s.Written += fields
	return s, err
}

// inMiniSector counts what is written in one sector of the mini stream, first its first mini sector, beside the streams.
func (u *usage) inMiniSector(b []byte, first int64) (n int64) {
	for i := range u.sector / miniSector {
		filled := int64(0)
		if first+i < int64(len(u.mini)) {
			filled = u.mini[first+i]
		}
		n += written(b[i*miniSector:][filled:miniSector])
	}
	return n
}

// written counts the bytes that are not zero.
func written(b []byte) (n int64) {
	for _, c := range b {
		if c != 0 {
			n++
		}
	}
	return n
}

// fields counts what is written in reserved fields: of the header, of free places in the tables, and of the directory.
func (u *usage) fields() (n int64, err error) {
	h := u.header
	n = written(h[8:24]) + written(h[34:40]) + written(h[52:56])
	if h[24] != minorVersion || h[25] != 0 {
		n++
	}
	if u.sector == sector {
		n += written(h[40:44]) // version 4 counts the sectors of the directory there
	} else {
		rest := make([]byte, u.sector-headerSize)
		if _, err := u.r.ReadAt(rest, headerSize); err != nil {
			return n, fmt.Errorf("%w: header: %w", ErrFormat, err)
		}
		n += written(rest)
	}
	for i, v := range u.fat {
		if (int64(i) >= u.sectors || !u.used[i]) && !free(v) {
			n += 4
		}
	}
	for i, v := range u.miniFAT {
		if (i >= len(u.mini) || u.mini[i] == 0) && !free(v) {
			n += 4
		}
	}
	for at := 0; at+entrySize <= len(u.entries); at += entrySize {
		n += reserved(u.entries[at:][:entrySize])
	}
	return n + u.root(), nil
}

// free tells whether a place of a table is empty; osslsigncode leaves the end of a chain in one.
func free(v uint32) bool { return v == freeSector || v == endOfChain }

// root counts what the first entry says beside class and mini stream.
func (u *usage) root() (n int64) {
	le, e := binary.LittleEndian, u.entries
	if name, err := nameOf(e); err != nil || name != rootName {
		n++
	}
	last := int64(len(u.mini))
	for ; last > 0 && u.mini[last-1] == 0; last-- {
	}
	if int64(le.Uint32(e[120:])) != last*miniSector {
		n++
	}
	return n
}

// reserved counts what is written in an entry of the directory beside what it says: behind its name, in links that it has not, in
// its state, times and reserved bytes.
func reserved(e []byte) (n int64) {
	none := func(at int) {
		if binary.LittleEndian.Uint32(e[at:]) != noEntry {
			n++
		}
	}
	kind := e[66]
	if kind != typeStream && kind != typeStorage && kind != typeRoot { // a free one
		none(68)
		none(72)
		none(76)
		return n + written(e[:68]) + written(e[80:])
	}
	if e[67] > black {
		n++
	}
	length := min(64, max(2, int(binary.LittleEndian.Uint16(e[64:]))))
	n += written(e[length-2:64]) + written(e[96:116]) + written(e[124:])
	switch kind {
	case typeStream:
		none(76)
		n += written(e[80:96])
	case typeRoot:
		none(68)
		none(72)
	}
	return n
}
