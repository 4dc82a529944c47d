package unpack

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
)

// mostMeasured bounds what [Size] reads of an archive, in bytes: no manifest may list more.
const mostMeasured = 1 << 30

// Size is how many bytes the files in a tar.gz or zip have, as a manifest lists it (UnpackedSize); 0 for a file that is neither.
// [ErrArchive] for one that is damaged, [ErrTooBig] for more than 1 GiB.
func Size(path string) (total int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	var head [4]byte
	_, _ = f.ReadAt(head[:], 0) // a shorter file is no archive
	switch {
	case string(head[:]) == "PK\x03\x04":
		total, err = zipSize(f, info.Size())
	case head[0] == 0x1f && head[1] == 0x8b:
		total, err = tarSize(f)
	}
	if err == nil && total > mostMeasured {
		err = ErrTooBig
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, damaged(err))
	}
	return total, nil
}

func zipSize(r io.ReaderAt, size int64) (total int64, err error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return 0, err
	}
	for _, f := range z.File {
		if n := int64(f.UncompressedSize64); f.Mode().IsRegular() && n >= 0 && total <= mostMeasured {
			total += min(n, mostMeasured+1)
		}
	}
	return total, nil
}

func tarSize(r io.Reader) (total int64, err error) {
	z, err := gzip.NewReader(bufio.NewReader(r))
	if err != nil {
		return 0, err
	}
	t := tar.NewReader(&capped{r: z, left: mostMeasured + 1<<24})
	for {
		h, err := t.Next()
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return 0, err
		}
		if h.Typeflag == tar.TypeReg {
			total += h.Size
		}
	}
}
