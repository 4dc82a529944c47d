// Package xar writes and reads xar archives, the outer form of a macOS flat package.
//
// An archive is a header of 28 bytes, a zlib-compressed XML table of contents, and the heap: at its beginning the digest of the
// compressed table, then room for signatures of that digest, then the files' bytes where the table says they are. The table
// carries a digest of each file as stored and as extracted, so the one digest at the front covers everything.
//
// SHA-256 is the default; SHA-1 is what older tools write and all read. The header's algorithm number 3 is Apple's meaning
// (SHA-256, no name in the header), not that of the other branch of xar.
//
// Signing: give [Archive.Signatures] one [Signature] per signature. Each reserves room, names its certificates and is called
// with the digest once the table is final; see [RSA] for the one kind that needs no library. A signature must be one and the
// same for the same digest, or the archive is not reproducible; nothing else in it depends on anything but the input.
//
// Parties: installer/pack (pkg) writes, a signer adds signatures, tests and verifiers read. Nothing here was read by Apple's
// tools: structure checked.
package xar

import (
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"time"
)

// ErrFormat says that an archive cannot be read, or that something cannot be expressed in one.
var ErrFormat = errors.New("xar")

// ErrDigest says that bytes are not those that the archive's table, or its header, was made for.
var ErrDigest = errors.New("xar: digest does not match")

const (
	magic      = 0x78617221 // "xar!"
	headerSize = 28
)

// Archive is what an archive is written from.
type Archive struct {
	Time       time.Time   // of creation, whole seconds
	Hash       crypto.Hash // SHA256 (also the zero value) or SHA1
	Files      []File      // folders before what is in them
	Signatures []Signature // in the order of their places
}

// File is a regular file or a folder.
type File struct {
	Name    string      // path with slashes, relative
	Mode    fs.FileMode // permission bits, and ModeDir for a folder
	Time    time.Time   // whole seconds
	Data    []byte
	Deflate bool // store it compressed, where that is smaller
}

// Signature is one signature of the table of contents: a place in the heap, named in the table before the table's digest is
// known, filled once it is.
type Signature struct {
	Element string   // "signature" (RSA, PKCS #1 v1.5 over the digest) or "x-signature" (CMS over the digest)
	Style   string   // "RSA" or "CMS"
	Size    int64    // bytes reserved; what is not used is zero
	Chain   [][]byte // certificates in DER, that of the key first

	// Sign makes the signature of the digest of the compressed table, which was made with the archive's hash. It may return
	// fewer bytes than Size, never more.
	Sign func(digest []byte, hash crypto.Hash) ([]byte, error)
}

// algorithm is how a hash is called: the header's number and the table's word.
type algorithm struct {
	hash   crypto.Hash
	number uint32
	style  string
	begin  func() hash.Hash
}

var algorithms = []algorithm{{crypto.SHA1, 1, "sha1", sha1.New}, {crypto.SHA256, 3, "sha256", sha256.New}}

func algorithmOf(is func(algorithm) bool) (algorithm, error) {
	for _, a := range algorithms {
		if is(a) {
			return a, nil
		}
	}
	return algorithm{}, fmt.Errorf("%w: a digest that is neither SHA-1 nor SHA-256", ErrFormat)
}

func (a algorithm) sum(b []byte) []byte {
	s := a.begin()
	s.Write(b)
	return s.Sum(nil)
}
