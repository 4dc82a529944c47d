package setupexe

import (
	"bytes"
	"crypto/sha256"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"io"
)

// Write writes a carrier: a program and the package behind it.
func Write(w io.Writer, program, pkg []byte) error {
	at := len(program) + padding(len(program))
	sum := sha256.Sum256(pkg)
	trailer := binary.LittleEndian.AppendUint64(nil, uint64(at))
	trailer = binary.LittleEndian.AppendUint64(trailer, uint64(len(pkg)))
	trailer = append(append(trailer, sum[:]...), mark...)
	for _, part := range [][]byte{program, make([]byte, padding(len(program))), pkg, make([]byte, padding(len(pkg))), trailer} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

func padding(n int) int { return (align - n%align) % align }

// Read finds the package in a carrier of a size and checks it against the trailer's hash.
func Read(r io.ReaderAt, size int64) ([]byte, error) {
	end := signatureAt(r)
	if end <= 0 || end > size {
		end = size
	}
	t := make([]byte, trailerSize)
	if end < trailerSize {
		return nil, ErrNothing
	}
	if _, err := r.ReadAt(t, end-trailerSize); err != nil {
		return nil, err
	}
	if !bytes.HasSuffix(t, []byte(mark)) {
		return nil, ErrNothing
	}
	at, n := binary.LittleEndian.Uint64(t), binary.LittleEndian.Uint64(t[8:])
	room := uint64(end - trailerSize)
	if at > room || n > room-at {
		return nil, fmt.Errorf("%w: %d bytes at %d", ErrDamaged, n, at)
	}
	pkg := make([]byte, n)
	if _, err := r.ReadAt(pkg, int64(at)); err != nil && err != io.EOF {
		return nil, err
	}
	if sum := sha256.Sum256(pkg); !bytes.Equal(sum[:], t[16:48]) {
		return nil, ErrDamaged
	}
	return pkg, nil
}

// signatureAt is where a program's header says that its signature begins; 0 without one.
func signatureAt(r io.ReaderAt) int64 {
	f, err := pe.NewFile(r)
	if err != nil {
		return 0
	}
	const certificates = 4 // the one directory whose address is an offset in the file
	switch h := f.OptionalHeader.(type) {
	case *pe.OptionalHeader64:
		return int64(h.DataDirectory[certificates].VirtualAddress)
	case *pe.OptionalHeader32:
		return int64(h.DataDirectory[certificates].VirtualAddress)
	}
	return 0
}
