package cfb

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// Rewrite writes the streams of a file as [Write] does, in the order of its directory. A file with storages is refused. Errors:
// ErrFormat.
func Rewrite(w io.Writer, r *os.File) error {
	info, err := r.Stat()
	if err != nil {
		return err
	}
	f, err := Open(r, info.Size())
	if err != nil {
		return err
	}
	var list []Stream
	for _, name := range f.Names {
		if strings.Contains(name, "/") {
			return fmt.Errorf("%w: it has storages", ErrFormat)
		}
		b, err := f.Stream(name)
		if err != nil {
			return err
		}
		list = append(list, Bytes(name, b))
	}
	return Write(w, f.Class, list)
}

// Exact tells whether a file is what [Write] makes of its streams, byte for byte.
func Exact(r *os.File) (bool, error) {
	var own bytes.Buffer
	if Rewrite(&own, r) != nil {
		return false, nil
	}
	b, err := io.ReadAll(io.NewSectionReader(r, 0, int64(own.Len())+1))
	return bytes.Equal(b, own.Bytes()), err
}
