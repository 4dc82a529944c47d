package macho

import (
	"bytes"
	"crypto/sha256"
	"debug/macho"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Faults of a signature.
var (
	ErrUnsigned = errors.New("mach-o: not signed")
	ErrChanged  = errors.New("mach-o: changed after it was signed")
)

// CodeDirectory is what an embedded signature states about a program.
type CodeDirectory struct {
	Identifier string
	AdHoc      bool  // no certificate stands behind it
	ByLinker   bool  // written while linking
	Pages      int   // digests of pages
	Limit      int64 // bytes of the file that are covered, from its beginning: all before the signature
}

// Numbers of Apple's signature format.
const (
	loadSignature = 0x1d       // LC_CODE_SIGNATURE
	superBlob     = 0xfade0cc0 // the signature: a list of blobs
	directoryBlob = 0xfade0c02
	slotDirectory = 0
	hashSHA256    = 2
	flagAdHoc     = 0x2
	flagLinker    = 0x20000
	directoryHead = 44
	maxSignature  = 64 << 20
	maxPageBits   = 16
	minSignature  = 12
)

// Check reads the code directory of a program of one architecture and compares each of its pages with it. Without a signature
// the error wraps [ErrUnsigned], with a digest that does not match [ErrChanged].
func Check(program io.ReaderAt) (CodeDirectory, error) {
	f, err := macho.NewFile(program)
	if err != nil {
		return CodeDirectory{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	var command []byte
	for _, l := range f.Loads {
		if b := l.Raw(); len(b) >= 16 && f.ByteOrder.Uint32(b) == loadSignature {
			command = b
		}
	}
	if command == nil {
		return CodeDirectory{}, ErrUnsigned
	}
	offset, size := int64(f.ByteOrder.Uint32(command[8:])), int64(f.ByteOrder.Uint32(command[12:]))
	if size < minSignature || size > maxSignature {
		return CodeDirectory{}, fmt.Errorf("%w: a signature of %d bytes", ErrFormat, size)
	}
	blob := make([]byte, size)
	if _, err := program.ReadAt(blob, offset); err != nil {
		return CodeDirectory{}, fmt.Errorf("%w: signature: %w", ErrFormat, err)
	}
	d, err := directory(blob)
	if err != nil {
		return CodeDirectory{}, err
	}
	return d.check(program, offset)
}

// directory finds the code directory among the blobs of a signature.
func directory(b []byte) (directoryBytes, error) {
	word := func(i int) uint32 { return binary.BigEndian.Uint32(b[i:]) }
	if word(0) != superBlob {
		return nil, fmt.Errorf("%w: a signature begins with %08x", ErrFormat, word(0))
	}
	count := int64(word(8))
	if minSignature+count*8 > int64(len(b)) {
		return nil, fmt.Errorf("%w: a signature of %d blobs in %d bytes", ErrFormat, count, len(b))
	}
	for i := range int(count) {
		at := minSignature + i*8
		if word(at) != slotDirectory {
			continue
		}
		from := int64(word(at + 4))
		if from+directoryHead > int64(len(b)) {
			break
		}
		d := b[from:]
		if length := int64(binary.BigEndian.Uint32(d[4:])); binary.BigEndian.Uint32(d) == directoryBlob && length >= directoryHead &&
			length <= int64(len(d)) {
			return d[:length], nil
		}
	}
	return nil, fmt.Errorf("%w: a signature without a code directory", ErrFormat)
}

// directoryBytes are a code directory as it lies in the file.
type directoryBytes []byte

func (d directoryBytes) word(i int) uint32 { return binary.BigEndian.Uint32(d[i:]) }

func (d directoryBytes) check(program io.ReaderAt, signature int64) (CodeDirectory, error) {
	flags, hashes, name := d.word(12), int64(d.word(16)), int64(d.word(20))
	pages, limit := int64(d.word(28)), int64(d.word(32))
	size, kind, bits := int64(d[36]), d[37], d[39]
	out := CodeDirectory{AdHoc: flags&flagAdHoc != 0, ByLinker: flags&flagLinker != 0, Pages: int(pages), Limit: limit}
	if kind != hashSHA256 || size != sha256.Size || bits < 12 || bits > maxPageBits {
		return out, fmt.Errorf("%w: digests of kind %d, %d bytes, over pages of 2^%d", ErrFormat, kind, size, bits)
	}
	page := int64(1) << bits
	if pages != (limit+page-1)/page || hashes+pages*size > int64(len(d)) || name >= int64(len(d)) || limit != signature {
		return out, fmt.Errorf("%w: %d digests for %d bytes, signature at %d", ErrFormat, pages, limit, signature)
	}
	text, _, _ := bytes.Cut(d[name:], []byte{0})
	out.Identifier = string(text)
	buf := make([]byte, page)
	for i := range pages {
		b := buf[:min(page, limit-i*page)]
		if _, err := program.ReadAt(b, i*page); err != nil {
			return out, fmt.Errorf("%w: page %d: %w", ErrFormat, i, err)
		}
		if got := sha256.Sum256(b); !bytes.Equal(got[:], d[hashes+i*size:][:size]) {
			return out, fmt.Errorf("%w: page %d of %d", ErrChanged, i, pages)
		}
	}
	return out, nil
}
