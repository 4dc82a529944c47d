package xar

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// extent is a part of the heap that the table names.
type extent struct{ from, to int64 }

// Ticket is what Apple's stapler puts behind an archive: its own signed statement that the package was notarised.
const (
	ticketMagic = "t8lr" // of the 16 bytes behind each part: magic, version, kind, length, reserved; little-endian
	ticketEnd   = 1      // no content
	ticketKind  = 2
	ticketSize  = 16
	maxTicket   = 64 << 10
)

// Cover checks that digests cover all of the archive: no bytes lie between the parts of the heap or behind them, but a stapled
// ticket, whose size in bytes is returned and which is not looked at. Errors: ErrFormat.
func (a *Reader) Cover() (ticket int64, err error) {
	slices.SortFunc(a.extents, func(x, y extent) int { return cmp.Compare(x.from, y.from) })
	end := int64(0)
	for _, e := range a.extents {
		if e.from > end {
			return 0, fmt.Errorf("%w: %d bytes of the heap belong to no file", ErrFormat, e.from-end)
		}
		end = max(end, e.to)
	}
	behind := a.heap.Size() - end
	if behind <= 0 {
		return 0, nil
	}
	if behind <= maxTicket {
		b := make([]byte, behind)
		if _, err := a.heap.ReadAt(b, end); err != nil && err != io.EOF {
			return 0, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		if isTicket(b) {
			return behind, nil
		}
	}
	return 0, fmt.Errorf("%w: %d bytes lie behind the archive", ErrFormat, behind)
}

// isTicket takes the parts of a stapled ticket apart, the last first.
func isTicket(b []byte) bool {
	le := binary.LittleEndian
	found := false
	for len(b) >= ticketSize {
		t := b[len(b)-ticketSize:]
		kind, length := le.Uint16(t[6:]), int(le.Uint32(t[8:]))
		b = b[:len(b)-ticketSize]
		if string(t[:4]) != ticketMagic || le.Uint32(t[12:]) != 0 || length > len(b) {
			return false
		}
		content := b[len(b)-length:]
		switch {
		case kind == ticketEnd && length == 0:
		case kind == ticketKind && !found && bytes.HasPrefix(content, []byte("s8ch")):
			found = true
		default:
			return false
		}
		b = b[:len(b)-length]
	}
	return found && len(b) == 0
}

// checkHead refuses a longer header that holds something else than the name of the digest, as newer tools write it.
func checkHead(r io.ReaderAt, from int64, alg algorithm) error {
	rest := make([]byte, from-headerSize)
	if _, err := r.ReadAt(rest, headerSize); err != nil {
		return fmt.Errorf("%w: header: %w", ErrFormat, err)
	}
	if len(bytes.Trim(bytes.TrimPrefix(rest, []byte(alg.style)), "\x00")) > 0 {
		return fmt.Errorf("%w: the header holds more than a header", ErrFormat)
	}
	return nil
}
