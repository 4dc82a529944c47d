package sign

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/sassoftware/relic/v7/lib/pkcs7"
	"github.com/sassoftware/relic/v7/lib/pkcs9"
)

// Subpackets of an OpenPGP signature that name its key; a wrong one leads to no key. (RFC 9580, 5.2.3)
const (
	subIssuer      = 16
	subFingerprint = 33
)

// unhashed counts the bytes of OpenPGP signatures which no digest covers, and which do not name the key: in each a part that signing
// leaves out may hold anything.
func unhashed(raw []byte) (total int64, err error) {
	for r := packet.NewOpaqueReader(bytes.NewReader(raw)); ; {
		p, err := r.Next()
		if err != nil {
			return total, nil //nolint:nilerr // the end; what is no packet was refused before
		}
		n, err := unhashedOf(p.Contents)
		if err != nil {
			return total, err
		}
		total += n
	}
}

var errSubpackets = errors.New("the subpackets of the signature cannot be read")

// unhashedOf is the count of one signature packet's content.
func unhashedOf(b []byte) (n int64, err error) {
	const fixed = 4 // version, type and two algorithms
	if len(b) < fixed || b[0] < 4 {
		return 0, nil // older ones have no such part
	}
	width := 2
	if b[0] > 5 {
		width = 4
	}
	_, rest, ok := lengthed(b[fixed:], width)
	if !ok {
		return 0, errSubpackets
	}
	area, _, ok := lengthed(rest, width)
	if !ok {
		return 0, errSubpackets
	}
	seen := map[byte]bool{}
	for len(area) > 0 {
		size, body, after, ok := subpacket(area)
		if !ok {
			return 0, errSubpackets
		}
		if kind := body[0] &^ 0x80; kind != subIssuer && kind != subFingerprint || seen[kind] {
			n += int64(size)
		} else {
			seen[kind] = true
		}
		area = after
	}
	return n, nil
}

// lengthed cuts off a field that its length, of so many bytes, stands in front of.
func lengthed(b []byte, width int) (field, rest []byte, ok bool) {
	if len(b) < width {
		return nil, nil, false
	}
	var n uint64
	for _, x := range b[:width] {
		n = n<<8 | uint64(x)
	}
	if b = b[width:]; n > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// subpacket cuts off one subpacket: its size in all, its type and content, and what follows.
func subpacket(b []byte) (size int, body, rest []byte, ok bool) {
	head, n := 1, int(b[0])
	switch {
	case n == 255 && len(b) >= 5:
		head, n = 5, int(binary.BigEndian.Uint32(b[1:]))
	case n == 255, n >= 192 && len(b) < 2:
		return 0, nil, nil, false
	case n >= 192:
		head, n = 2, (n-192)<<8+int(b[1])+192
	}
	if n < 1 || n > len(b)-head {
		return 0, nil, nil, false
	}
	return head + n, b[head : head+n], b[head+n:], true
}

// stamps are the unauthenticated attributes that are checked by themselves: the forms of a time stamp.
var stamps = []asn1.ObjectIdentifier{
	{1, 2, 840, 113549, 1, 9, 6},
	{1, 2, 840, 113549, 1, 9, 16, 2, 14},
	{1, 3, 6, 1, 4, 1, 311, 3, 3, 1},
}

// unauthenticated counts the bytes of attributes in a CMS signature, and in that of its time stamp, which no digest covers and nothing
// checks.
func unauthenticated(s pkcs9.TimestampedSignature) (n int64) {
	infos := []*pkcs7.SignerInfo{s.SignerInfo}
	if s.CounterSignature != nil {
		infos = append(infos, s.CounterSignature.SignerInfo)
	}
	for _, info := range infos {
		if info == nil {
			continue
		}
		for _, a := range info.UnauthenticatedAttributes {
			if !slices.ContainsFunc(stamps, a.Type.Equal) {
				n += int64(len(a.Values.FullBytes))
			}
		}
	}
	return n
}

// settle adds what signatures themselves leave uncovered to the report. In a package of ours there is none.
func (f *File) settle() error {
	if f.own && f.loose > 0 {
		return fmt.Errorf("%w: %d bytes are in a part of its signatures that no digest covers", ErrBad, f.loose)
	}
	n := f.slack + f.loose
	if n == 0 {
		return nil
	}
	if f.report.Note != "" {
		f.report.Note += "; "
	}
	f.report.Note += fmt.Sprintf("signed content intact; %d bytes of slack not covered", n)
	return nil
}
