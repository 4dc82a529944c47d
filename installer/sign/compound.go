package sign

import (
	"encoding/binary"
	"fmt"
	"io"
)

// compound is as much of a compound file as is needed to refuse one that goes in circles or claims to be bigger than it is:
// the library that digests it trusts what it reads.
type compound struct {
	r      io.ReaderAt
	sector int64
	most   int64 // sectors that fit into the file
	fat    []int32
}

const dirEntry = 128

// compoundMagic is what a compound file begins with.
const compoundMagic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

var errCircle = fmt.Errorf("%w: its tables contradict each other", ErrBad)

func soundCompound(r io.ReaderAt, size int64) error {
	h := make([]byte, 512)
	if _, err := r.ReadAt(h, 0); err != nil {
		return fmt.Errorf("%w: it is no whole compound file", ErrBad)
	}
	le := binary.LittleEndian
	shift := le.Uint16(h[30:])
	if shift != 9 && shift != 12 || le.Uint16(h[32:]) != 6 {
		return errCircle
	}
	c := &compound{r: r, sector: 1 << shift}
	c.most = size/c.sector + 1
	for _, count := range []int{44, 64, 72} { // sectors of FAT, short FAT, further places
		if int64(le.Uint32(h[count:])) > c.most {
			return errCircle
		}
	}
	if err := c.tables(h); err != nil {
		return err
	}
	if _, err := c.chain(int32(le.Uint32(h[60:]))); err != nil {
		return err
	}
	places, err := c.chain(int32(le.Uint32(h[48:])))
	if err != nil {
		return err
	}
	var dir []byte
	for _, at := range places {
		b, err := c.read(at)
		if err != nil {
			return err
		}
		dir = append(dir, b...)
	}
	return c.tree(dir, size)
}

func (c *compound) read(at int32) ([]byte, error) {
	b := make([]byte, c.sector)
	if n, err := c.r.ReadAt(b, (int64(at)+1)*c.sector); n < len(b) && err != io.EOF {
		return nil, err
	} else if n == 0 {
		return nil, errCircle
	}
	return b, nil
}

// tables reads the FAT.
func (c *compound) tables(h []byte) error {
	var places []int32
	for i := 76; i < 512; i += 4 {
		places = append(places, int32(binary.LittleEndian.Uint32(h[i:])))
	}
	next := int32(binary.LittleEndian.Uint32(h[68:]))
	for n := int64(0); next >= 0; n++ {
		b, err := c.read(next)
		if err != nil || n > c.most {
			return errCircle
		}
		w := numbers(b)
		places, next = append(places, w[:len(w)-1]...), w[len(w)-1]
	}
	for n, at := range places {
		if at < 0 {
			continue
		}
		b, err := c.read(at)
		if err != nil || int64(n) > c.most+109 {
			return errCircle
		}
		c.fat = append(c.fat, numbers(b)...)
	}
	return nil
}

func numbers(b []byte) []int32 {
	out := make([]int32, len(b)/4)
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

func (c *compound) chain(at int32) (list []int32, err error) {
	for ; at >= 0; at = c.fat[at] {
		if int(at) >= len(c.fat) || int64(len(list)) > c.most {
			return nil, errCircle
		}
		list = append(list, at)
	}
	return list, nil
}

// tree walks the directory; every entry has one place in it, and all streams together fit into the file.
func (c *compound) tree(dir []byte, size int64) error {
	le := binary.LittleEndian
	if len(dir) < dirEntry {
		return errCircle
	}
	if _, err := c.chain(int32(le.Uint32(dir[116:]))); err != nil {
		return err
	}
	seen := make([]bool, len(dir)/dirEntry)
	var streams int64
	for todo := []int32{0}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if at < 0 {
			continue
		}
		if int(at) >= len(seen) || seen[at] {
			return errCircle
		}
		seen[at] = true
		e := dir[int(at)*dirEntry:][:dirEntry]
		if name := le.Uint16(e[64:]); name < 2 || name > 64 {
			return errCircle
		}
		if at != 0 {
			streams += int64(le.Uint32(e[120:]))
		}
		todo = append(todo, int32(le.Uint32(e[68:])), int32(le.Uint32(e[72:])), int32(le.Uint32(e[76:])))
	}
	if streams > size {
		return errCircle
	}
	return nil
}
