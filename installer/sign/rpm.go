package sign

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Tags of signature and header (rpm, file format version 4).
const (
	rpmSHA256        = 273  // of the header, hex
	rpmHeaderOpenPGP = 268  // RSA
	rpmHeaderOther   = 267  // DSA and others
	rpmWholeOpenPGP  = 1002 // over header and payload
	rpmVendor        = 1011
	rpmPayloadDigest = 5092 // hex, compressed
	rpmPayloadHash   = 5093 // 8: SHA-256
)

// rpmPart is a signature or header: the bytes as they stand, and where each tag's value is.
type rpmPart struct {
	raw  []byte
	data []byte
	tags map[uint32]rpmTag
}

type rpmTag struct{ kind, at, count uint32 }

const maxHeader = 64 << 20

func readPart(r io.ReaderAt, at, size int64) (p rpmPart, err error) {
	const intro, entry = 16, 16
	head := make([]byte, intro)
	if _, err := r.ReadAt(head, at); err != nil || !bytes.Equal(head[:4], []byte{0x8e, 0xad, 0xe8, 1}) {
		return p, fmt.Errorf("%w: it is no whole rpm", ErrBad)
	}
	n, bytes := int64(binary.BigEndian.Uint32(head[8:])), int64(binary.BigEndian.Uint32(head[12:]))
	length := intro + n*entry + bytes
	if length > maxHeader || at+length > size {
		return p, fmt.Errorf("%w: it is no whole rpm", ErrBad)
	}
	p.raw = make([]byte, length)
	if _, err := r.ReadAt(p.raw, at); err != nil {
		return p, err
	}
	p.data, p.tags = p.raw[intro+n*entry:], map[uint32]rpmTag{}
	for i := range n {
		e := p.raw[intro+i*entry:]
		p.tags[binary.BigEndian.Uint32(e)] = rpmTag{binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[8:]),
			binary.BigEndian.Uint32(e[12:])}
	}
	return p, nil
}

// bytes is the value of a binary tag.
func (p rpmPart) bytes(tag uint32) []byte {
	const binaryKind = 7
	t, ok := p.tags[tag]
	if !ok || t.kind != binaryKind || int64(t.at)+int64(t.count) > int64(len(p.data)) {
		return nil
	}
	return p.data[t.at : t.at+t.count]
}

// text is the value of a string tag, or the first of several.
func (p rpmPart) text(tag uint32) string {
	t, ok := p.tags[tag]
	if !ok || int64(t.at) >= int64(len(p.data)) {
		return ""
	}
	s, _, _ := bytes.Cut(p.data[t.at:], []byte{0})
	return string(s)
}

// rpm checks digests and signatures of an rpm.
func rpm(f *File) error {
	const lead = 96
	sig, err := readPart(f.file, lead, f.size)
	if err != nil {
		return err
	}
	at := lead + (int64(len(sig.raw))+7)/8*8
	if err := f.rpmEdges(lead, sig, at); err != nil {
		return err
	}
	head, err := readPart(f.file, at, f.size)
	if err != nil {
		return err
	}
	payload := at + int64(len(head.raw))
	f.own = head.text(rpmVendor) == Maker
	if n, ok := sig.number(rpmSize); ok && int64(n) != f.size-at {
		return fmt.Errorf("%w: it has %d bytes behind its signatures, %d are stated", ErrBad, f.size-at, n)
	}
	covered, err := rpmDigests(f, sig, head, payload)
	if err != nil {
		return err
	}
	for _, tag := range []uint32{rpmHeaderOpenPGP, rpmHeaderOther} {
		if b := sig.bytes(tag); b != nil {
			if err := f.OpenPGP(bytes.NewReader(head.raw), b, "the header"); err != nil {
				return err
			}
		}
	}
	if b := sig.bytes(rpmWholeOpenPGP); b != nil {
		return f.OpenPGP(io.NewSectionReader(f.file, at, f.size-at), b, "header and payload")
	}
	if len(f.report.Signatures) > 0 && !covered {
		if f.report.Note = "no signature covers the payload"; f.Strict() {
			return fmt.Errorf("%w: the header is, and neither a signature nor a digest in the header covers the payload", ErrUnsigned)
		}
	}
	return nil
}

// rpmDigests compares the digests that are there: the header's, and the payload's, which the header carries. covered says that
// there is one of the payload, so that a signature of the header counts for all.
func rpmDigests(f *File, sig, head rpmPart, payload int64) (covered bool, err error) {
	if want := sig.text(rpmSHA256); want != "" {
		if host.SHA256Bytes(head.raw) != want {
			return false, fmt.Errorf("%w: the digest of the header", ErrBad)
		}
	}
	if want := head.text(rpmPayloadDigest); want != "" && sha256Named(head) {
		have, err := host.SHA256(io.NewSectionReader(f.file, payload, f.size-payload))
		if err != nil {
			return false, err
		}
		if have != want {
			return false, fmt.Errorf("%w: the digest of the payload", ErrBad)
		}
		f.report.Note, covered = "header and payload have the digests they must have", true
	}
	return covered, nil
}

func sha256Named(head rpmPart) bool {
	t, ok := head.tags[rpmPayloadHash]
	return ok && int64(t.at)+4 <= int64(len(head.data)) && binary.BigEndian.Uint32(head.data[t.at:]) == 8
}
