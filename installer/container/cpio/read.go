package cpio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Reader reads one archive, entry after entry.
type Reader struct {
	r    *bufio.Reader
	left int64
	done bool
}

// NewReader begins to read.
//
// The tests of this room, installer/pack and installer/build read. `ssm-setup verify` is to look at the structure of a
// package with it, too; today it looks at the signature alone.
func NewReader(r io.Reader) *Reader { return &Reader{r: bufio.NewReader(r)} }

// Next goes to the next entry, whose data Read then gives; io.EOF after the last.
func (r *Reader) Next() (Entry, error) {
	if r.done {
		return Entry{}, io.EOF
	}
	if _, err := io.CopyN(io.Discard, r.r, r.left); err != nil {
		return Entry{}, broken("an entry's data", err)
	}
	r.left = 0
	var head [headerSize]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return Entry{}, broken("a header", err)
	}
	e, name, err := parse(string(head[:]))
	if err != nil {
		return Entry{}, err
	}
	text := make([]byte, name)
	if _, err := io.ReadFull(r.r, text); err != nil {
		return Entry{}, broken("a name", err)
	}
	e.Name = string(text[:name-1])
	if text[name-1] != 0 {
		return Entry{}, fmt.Errorf("%w: the name %.40q has no end", ErrFormat, text)
	}
	if e.Name == trailer {
		r.done = true
		return Entry{}, io.EOF
	}
	r.left = e.Size
	return e, nil
}

// Read gives the data of the present entry.
func (r *Reader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.r.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = broken("an entry's data", err)
	}
	return n, err
}

// parse reads the figures of a header.
func parse(head string) (e Entry, name int64, err error) {
	at := 0
	octal := func(n int) int64 {
		v, bad := strconv.ParseUint(head[at:at+n], 8, 63)
		if bad != nil && err == nil {
			err = fmt.Errorf("%w: %.20q are no octal figures", ErrFormat, head[at:at+n])
		}
		at += n
		return int64(v)
	}
	if head[:6] != magic {
		return e, 0, fmt.Errorf("%w: a header begins with %.20q", ErrFormat, head[:6])
	}
	at = 6 + 6 + 6 // device, inode
	mode := octal(6)
	e.UID, e.GID = int(octal(6)), int(octal(6))
	at += 6 + 6 // links, special device
	e.Time = time.Unix(octal(11), 0).UTC()
	name, e.Size = octal(6), octal(11)
	if err != nil {
		return e, 0, err
	}
	if name < 1 {
		return e, 0, fmt.Errorf("%w: an entry without a name", ErrFormat)
	}
	if mode > 1<<16-1 {
		return e, 0, fmt.Errorf("%w: mode %o", ErrFormat, mode)
	}
	if mode != 0 { // the trailer has none
		e.Mode, err = FileMode(uint16(mode))
	}
	return e, name, err
}

func broken(what string, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %s: %w", ErrFormat, what, err)
}
