package sign

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const (
	rpmSize     = 1000 // of header and payload
	rpmReserved = 1008 // room for signatures to come, empty
)

// rpmSignatureTags are the tags that rpm puts in front of a header: signatures, digests, sizes. Nothing covers them but what they
// are for, so that others are refused.
var rpmSignatureTags = map[uint32]bool{62: true, 100: true, 267: true, 268: true, 269: true, 270: true, 271: true, 273: true, 274: true,
	275: true, 276: true, 277: true, 278: true, 279: true, 1000: true, 1002: true, 1004: true, 1005: true, 1007: true, 1008: true}

// rpmEdges refuses bytes in front of the header that are none of a package: what the lead holds beside a name, tags that are no
// signatures, and what lies between the values of tags.
func (f *File) rpmEdges(lead int64, sig rpmPart, end int64) error {
	b := make([]byte, end)
	if _, err := f.file.ReadAt(b, 0); err != nil {
		return fmt.Errorf("%w: it is no whole rpm", ErrBad)
	}
	const name, behindName, reserved = 10, 76, 80
	_, rest, _ := bytes.Cut(b[name:behindName], []byte{0})
	if len(bytes.Trim(rest, "\x00"))+len(bytes.Trim(b[reserved:lead], "\x00"))+len(bytes.Trim(b[lead+int64(len(sig.raw)):], "\x00")) > 0 {
		return fmt.Errorf("%w: something else lies before the header", ErrBad)
	}
	covered := make([]bool, len(sig.data))
	for tag, t := range sig.tags {
		n := sig.length(t)
		if !rpmSignatureTags[tag] || n < 0 || int64(t.at)+n > int64(len(sig.data)) {
			return fmt.Errorf("%w: tag %d among the signatures", ErrBad, tag)
		}
		if tag == rpmReserved && len(bytes.Trim(sig.data[t.at:int64(t.at)+n], "\x00")) > 0 {
			return fmt.Errorf("%w: something lies in the room for signatures", ErrBad)
		}
		for i := range n {
			covered[int64(t.at)+i] = true
		}
	}
	for i, c := range sig.data {
		if c != 0 && !covered[i] {
			return fmt.Errorf("%w: something lies between the signatures", ErrBad)
		}
	}
	return nil
}

// length is how many bytes the value of a tag has, -1 for a kind that does not exist.
func (p rpmPart) length(t rpmTag) int64 {
	size := map[uint32]int64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}[t.kind]
	if size > 0 {
		return size * int64(t.count)
	}
	if t.kind != 6 && t.kind != 8 && t.kind != 9 {
		return -1
	}
	n := int64(0)
	for range t.count { // texts, each with a zero behind it
		if int64(t.at)+n >= int64(len(p.data)) {
			return -1
		}
		i := bytes.IndexByte(p.data[int64(t.at)+n:], 0)
		if i < 0 {
			return -1
		}
		n += int64(i) + 1
	}
	return n
}

// number is the value of a tag with 32-bit numbers, the first of several.
func (p rpmPart) number(tag uint32) (uint32, bool) {
	const int32Kind = 4
	t, ok := p.tags[tag]
	if !ok || t.kind != int32Kind || int64(t.at)+4 > int64(len(p.data)) {
		return 0, false
	}
	return binary.BigEndian.Uint32(p.data[t.at:]), true
}
