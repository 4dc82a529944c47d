package delta

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Bounds of what is accepted, in bytes.
const (
	// MostProgram bounds either program.
	MostProgram = 256 << 20
	// MostDelta bounds a delta.
	MostDelta = 128 << 20
)

// ErrDelta says that a delta is damaged, hostile, or not for this program.
var ErrDelta = fault.New(fault.Verify, "the delta cannot be applied", "")

const (
	magic      = "SSMDLT1\n"
	headerSize = 8 + 32 + 32 + 8 + 8 + streams*8
)

// The streams in their order.
const (
	control = iota
	runs
	changes
	added
	streams
)

// Header is what a delta says of itself.
type Header struct {
	From, To         string // SHA-256 of the programs, lower-case hex
	FromSize, ToSize int64  // bytes
	streams          [streams]int64
}

// ReadHeader reads and checks the header of a delta of size bytes; ErrDelta for anything but one.
func ReadHeader(r io.ReaderAt, size int64) (h Header, err error) {
	var b [headerSize]byte
	if size < headerSize || size > MostDelta {
		return h, fmt.Errorf("%w: it has %d bytes", ErrDelta, size)
	}
	if _, err := r.ReadAt(b[:], 0); err != nil {
		return h, err
	}
	if string(b[:8]) != magic {
		return h, fmt.Errorf("%w: it begins as no delta does", ErrDelta)
	}
	h.From, h.To = hex.EncodeToString(b[8:40]), hex.EncodeToString(b[40:72])
	left := uint64(size) - headerSize
	number := func(i int) uint64 { return binary.LittleEndian.Uint64(b[72+8*i:]) }
	if number(0) > MostProgram || number(1) > MostProgram {
		return h, fmt.Errorf("%w: it is for programs of %d and %d bytes, at most %d accepted", ErrDelta, number(0), number(1), int64(MostProgram))
	}
	h.FromSize, h.ToSize = int64(number(0)), int64(number(1))
	for i := range h.streams {
		n := number(2 + i)
		if n > left {
			return h, fmt.Errorf("%w: its streams are longer than it is", ErrDelta)
		}
		h.streams[i] = int64(n)
		left -= n
	}
	if left != 0 {
		return h, fmt.Errorf("%w: %d bytes lie behind its streams", ErrDelta, left)
	}
	return h, nil
}

// bytes is the header as it stands in a file.
func (h Header) bytes() []byte {
	b := []byte(magic)
	for _, sum := range []string{h.From, h.To} {
		raw, _ := hex.DecodeString(sum)
		b = append(b, raw...)
	}
	for _, n := range append([]int64{h.FromSize, h.ToSize}, h.streams[:]...) {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	return b
}
