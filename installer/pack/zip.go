package pack

import (
	"archive/zip"
	"io"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/flate"
)

// writeZip writes entries as a zip, as systems without tar expect it. A finished file (see entry.file) is stored: its own
// payload is compressed already.
func writeZip(w io.Writer, in Input, entries []entry) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 6) })
	for _, e := range entries {
		if err := addZip(z, in, e); err != nil {
			return err
		}
	}
	return z.Close()
}

// zipBegins is the first time that a zip can say: an earlier one would be read as one far in the future.
var zipBegins = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func addZip(z *zip.Writer, in Input, e entry) error {
	h := &zip.FileHeader{Name: e.path, Method: zip.Deflate, Modified: in.Time.UTC()}
	if h.Modified.Before(zipBegins) {
		h.Modified = zipBegins
	}
	h.SetMode(e.mode)
	from := e.file
	switch {
	case e.file != "":
		h.Method = zip.Store
	case e.program != "":
		h.Name, from = in.Platform.Executable(e.path), filepath.Join(in.Bin, in.Platform.Executable(e.program))
	}
	out, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	if from == "" {
		_, err = out.Write(e.data)
		return err
	}
	return copyInto(out, in, from)
}
