package xar

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// maxTable bounds what a table of contents may unpack to.
const maxTable = 64 << 20

// Reader is an archive whose table matches its digest.
type Reader struct {
	Hash       crypto.Hash
	Digest     []byte // of the compressed table: what signatures are over
	Files      []Entry
	Signatures []Found

	heap    *io.SectionReader
	extents []extent // of the heap that the table names
}

// Entry is one file of an archive.
type Entry struct {
	Name           string
	Mode           fs.FileMode
	UID, GID       int
	Time           time.Time
	Size           int64 // extracted
	Offset, Length int64 // in the heap
	Encoding       string

	stored, full tocSum
}

// Found is a signature as it stands in an archive, not checked.
type Found struct {
	Element, Style string
	Chain          [][]byte // DER
	Bytes          []byte   // the whole place, with the zeroes behind the signature
}

// Open reads header and table and compares the table with its digest. It checks no signature, and files only when they are read.
func Open(r io.ReaderAt, size int64) (*Reader, error) {
	head := make([]byte, headerSize)
	if _, err := r.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("%w: header: %w", ErrFormat, err)
	}
	if binary.BigEndian.Uint32(head) != magic || binary.BigEndian.Uint16(head[6:]) != 1 {
		return nil, fmt.Errorf("%w: it does not begin with xar! and version 1", ErrFormat)
	}
	from := int64(binary.BigEndian.Uint16(head[4:]))
	length, full := binary.BigEndian.Uint64(head[8:]), binary.BigEndian.Uint64(head[16:])
	if from < headerSize || length > maxTable || full > maxTable || from+int64(length) > size {
		return nil, fmt.Errorf("%w: a table of %d bytes in a file of %d", ErrFormat, length, size)
	}
	alg, err := algorithmOf(func(a algorithm) bool { return a.number == binary.BigEndian.Uint32(head[24:]) })
	if err != nil {
		return nil, err
	}
	if err := checkHead(r, from, alg); err != nil {
		return nil, err
	}
	packed := make([]byte, length)
	if _, err := r.ReadAt(packed, from); err != nil {
		return nil, fmt.Errorf("%w: table: %w", ErrFormat, err)
	}
	text, err := inflate(bytes.NewReader(packed), int64(full))
	if err != nil {
		return nil, fmt.Errorf("%w: table: %w", ErrFormat, err)
	}
	var x tocRoot
	if err := xml.Unmarshal(text, &x); err != nil {
		return nil, fmt.Errorf("%w: table: %w", ErrFormat, err)
	}
	a := &Reader{Hash: alg.hash, Digest: alg.sum(packed)}
	a.heap = io.NewSectionReader(r, from+int64(length), size-from-int64(length))
	return a, a.read(x.TOC, alg)
}

// inflate unpacks exactly so many bytes.
func inflate(r io.Reader, size int64) ([]byte, error) {
	z, err := zlib.NewReader(r)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(z, size+1))
	if err == nil && int64(len(b)) != size {
		err = fmt.Errorf("it does not unpack to %d bytes", size)
	}
	return b, err
}

// The table as it is written.
type (
	tocRoot struct {
		XMLName xml.Name `xml:"xar"`
		TOC     toc      `xml:"toc"`
	}
	toc struct {
		Checksum   tocRange   `xml:"checksum"`
		Signature  []tocRange `xml:"signature"`
		XSignature []tocRange `xml:"x-signature"`
		Files      []tocFile  `xml:"file"`
	}
	tocRange struct {
		Style  string   `xml:"style,attr"`
		Offset int64    `xml:"offset"`
		Size   int64    `xml:"size"`
		Chain  []string `xml:"KeyInfo>X509Data>X509Certificate"`
	}
	tocFile struct {
		Name struct {
			Text    string `xml:",chardata"`
			Enctype string `xml:"enctype,attr"`
		} `xml:"name"`
		Type  string    `xml:"type"`
		Mode  string    `xml:"mode"`
		UID   int       `xml:"uid"`
		GID   int       `xml:"gid"`
		MTime string    `xml:"mtime"`
		Data  *tocData  `xml:"data"`
		Extra []tocData `xml:"ea"` // extended attributes
		Files []tocFile `xml:"file"`
	}
	tocData struct {
		Length   int64 `xml:"length"`
		Offset   int64 `xml:"offset"`
		Size     int64 `xml:"size"`
		Encoding struct {
			Style string `xml:"style,attr"`
		} `xml:"encoding"`
		Archived  tocSum `xml:"archived-checksum"`
		Extracted tocSum `xml:"extracted-checksum"`
	}
	tocSum struct {
		Style string `xml:"style,attr"`
		Hex   string `xml:",chardata"`
	}
)

func (a *Reader) read(t toc, alg algorithm) error {
	digest, err := a.at(t.Checksum.Offset, t.Checksum.Size, int64(alg.hash.Size()))
	if err != nil {
		return err
	}
	if t.Checksum.Style != alg.style || subtle.ConstantTimeCompare(digest, a.Digest) != 1 {
		return fmt.Errorf("%w: the table of contents", ErrDigest)
	}
	a.extents = append(a.extents, extent{t.Checksum.Offset, t.Checksum.Offset + t.Checksum.Size})
	for _, p := range t.Signature {
		if err := a.signature("signature", p); err != nil {
			return err
		}
	}
	for _, p := range t.XSignature {
		if err := a.signature("x-signature", p); err != nil {
			return err
		}
	}
	return a.walk("", t.Files, 0)
}

func (a *Reader) signature(element string, p tocRange) error {
	b, err := a.at(p.Offset, p.Size, 1<<20)
	if err != nil {
		return err
	}
	a.extents = append(a.extents, extent{p.Offset, p.Offset + p.Size})
	f := Found{Element: element, Style: p.Style, Bytes: b}
	for _, text := range p.Chain {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return fmt.Errorf("%w: a certificate: %w", ErrFormat, err)
		}
		f.Chain = append(f.Chain, der)
	}
	a.Signatures = append(a.Signatures, f)
	return nil
}

// at reads a part of the heap, of at most so many bytes.
func (a *Reader) at(offset, size, most int64) ([]byte, error) {
	if offset < 0 || size < 0 || size > most || offset > a.heap.Size() || size > a.heap.Size()-offset {
		return nil, fmt.Errorf("%w: %d bytes at %d of a heap of %d", ErrFormat, size, offset, a.heap.Size())
	}
	b := make([]byte, size)
	if _, err := a.heap.ReadAt(b, offset); err != nil && (err != io.EOF || size > 0) {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return b, nil
}

func (a *Reader) walk(parent string, files []tocFile, depth int) error {
	if depth > 64 {
		return fmt.Errorf("%w: folders too deep", ErrFormat)
	}
	for _, f := range files {
		e, err := f.entry(parent)
		if err != nil {
			return err
		}
		a.Files = append(a.Files, e)
		if f.Data != nil {
			a.extents = append(a.extents, extent{e.Offset, e.Offset + e.Length})
		}
		for _, x := range f.Extra {
			b, err := a.at(x.Offset, x.Length, 1<<20)
			if err != nil {
				return err
			}
			if err := x.Archived.check(e.Name, b); err != nil {
				return err
			}
			a.extents = append(a.extents, extent{x.Offset, x.Offset + x.Length})
		}
		if err := a.walk(e.Name+"/", f.Files, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (f tocFile) entry(parent string) (Entry, error) {
	name := f.Name.Text
	if f.Name.Enctype == "base64" {
		b, err := base64.StdEncoding.DecodeString(name)
		if err != nil {
			return Entry{}, fmt.Errorf("%w: a name: %w", ErrFormat, err)
		}
		name = string(b)
	}
	if strings.Contains(name, "/") || !isLocalPath(name) {
		return Entry{}, fmt.Errorf("%w: %.80q cannot be a name", ErrFormat, name)
	}
	mode, err := strconv.ParseUint(f.Mode, 8, 12)
	if err != nil {
		return Entry{}, fmt.Errorf("%w: mode %.20q", ErrFormat, f.Mode)
	}
	e := Entry{Name: parent + name, Mode: fs.FileMode(mode) & fs.ModePerm, UID: f.UID, GID: f.GID}
	e.Time, _ = time.Parse(stampForm+"Z", f.MTime) // for people; absent in some archives
	switch f.Type {
	case "directory":
		e.Mode |= fs.ModeDir
	case "file":
	default:
		return Entry{}, fmt.Errorf("%w: %q is a %.20q", ErrFormat, e.Name, f.Type)
	}
	if f.Data != nil {
		e.Size, e.Offset, e.Length, e.Encoding = f.Data.Size, f.Data.Offset, f.Data.Length, f.Data.Encoding.Style
		e.stored, e.full = f.Data.Archived, f.Data.Extracted
	}
	return e, nil
}

// Read extracts a file of at most so many bytes and compares it with both of its digests.
func (a *Reader) Read(e Entry, most int64) ([]byte, error) {
	if e.Mode.IsDir() || e.Encoding == "" {
		return nil, nil
	}
	if e.Size < 0 || e.Size > most {
		return nil, fmt.Errorf("%w: %q has %d bytes", ErrFormat, e.Name, e.Size)
	}
	stored, err := a.at(e.Offset, e.Length, a.heap.Size())
	if err != nil {
		return nil, err
	}
	if err := e.stored.check(e.Name, stored); err != nil {
		return nil, err
	}
	full := stored
	if e.Encoding == asDeflate {
		if full, err = inflate(bytes.NewReader(stored), e.Size); err != nil {
			return nil, fmt.Errorf("%w: %q: %w", ErrFormat, e.Name, err)
		}
	} else if e.Encoding != asStored || e.Size != e.Length {
		return nil, fmt.Errorf("%w: %q is stored as %.40q", ErrFormat, e.Name, e.Encoding)
	}
	return full, e.full.check(e.Name, full)
}

func (s tocSum) check(name string, b []byte) error {
	alg, err := algorithmOf(func(a algorithm) bool { return a.style == strings.ToLower(s.Style) })
	if err != nil {
		return err
	}
	want, err := hex.DecodeString(strings.TrimSpace(s.Hex))
	if err != nil || subtle.ConstantTimeCompare(want, alg.sum(b)) != 1 {
		return fmt.Errorf("%w: %q", ErrDigest, name)
	}
	return nil
}
