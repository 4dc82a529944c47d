package xar

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"strings"
)

// Write writes an archive.
func Write(w io.Writer, a Archive) error {
	if a.Hash == 0 {
		a.Hash = crypto.SHA256
	}
	alg, err := algorithmOf(func(x algorithm) bool { return x.hash == a.Hash })
	if err != nil {
		return err
	}
	root, heap, err := a.layout(alg)
	if err != nil {
		return err
	}
	text := a.table(alg, root)
	packed := deflate(text)
	heads, err := a.heads(alg.sum(packed))
	if err != nil {
		return err
	}
	var head []byte
	head = binary.BigEndian.AppendUint32(head, magic)
	head = binary.BigEndian.AppendUint16(head, headerSize)
	head = binary.BigEndian.AppendUint16(head, 1)
	head = binary.BigEndian.AppendUint64(head, uint64(len(packed)))
	head = binary.BigEndian.AppendUint64(head, uint64(len(text)))
	head = binary.BigEndian.AppendUint32(head, alg.number)
	for _, b := range append([][]byte{head, packed, heads}, heap...) {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// heapFile is a file with its offset in the heap, in the tree of the table.
type heapFile struct {
	File
	number       int
	offset       int64
	length       int64 // as stored
	packed       bool
	stored, full string // digests, hex
	below        []*heapFile
}

// layout gives every file its offset behind digest and signatures.
func (a Archive) layout(alg algorithm) (root *heapFile, heap [][]byte, err error) {
	at := int64(alg.hash.Size())
	for _, s := range a.Signatures {
		at += s.Size
	}
	root = &heapFile{}
	folders := map[string]*heapFile{".": root}
	seen := map[string]bool{}
	for i, f := range a.Files {
		parent, ok := folders[path.Dir(f.Name)]
		if !ok || !isLocalPath(f.Name) || seen[f.Name] {
			return nil, nil, fmt.Errorf("%w: %.80q is listed twice, without its folder, or is no relative path", ErrFormat, f.Name)
		}
		if t := f.Mode.Type(); t != 0 && !f.Mode.IsDir() || f.Mode.IsDir() && len(f.Data) > 0 {
			return nil, nil, fmt.Errorf("%w: %q is neither a file nor a folder", ErrFormat, f.Name)
		}
		seen[f.Name] = true
		p := &heapFile{File: f, number: i + 1}
		parent.below = append(parent.below, p)
		if f.Mode.IsDir() {
			folders[f.Name] = p
			continue
		}
		data := f.Data
		if f.Deflate {
			if z := deflate(data); len(z) < len(data) {
				data, p.packed = z, true
			}
		}
		p.offset, p.length = at, int64(len(data))
		p.full, p.stored = hex.EncodeToString(alg.sum(f.Data)), hex.EncodeToString(alg.sum(data))
		heap, at = append(heap, data), at+p.length
	}
	return root, heap, nil
}

// isLocalPath tells whether a name is a relative path that stays inside.
func isLocalPath(name string) bool {
	return name != "" && name != "." && path.Clean(name) == name && !path.IsAbs(name) && name != ".." && !strings.HasPrefix(name, "../")
}

func deflate(b []byte) []byte {
	var out bytes.Buffer
	z, _ := zlib.NewWriterLevel(&out, zlib.BestCompression) // the level is valid
	_, _ = z.Write(b)                                       // into memory
	_ = z.Close()
	return out.Bytes()
}
