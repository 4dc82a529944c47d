package unpack

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
)

// Zip unpacks a zip of size bytes into dir, under the rules of [TarGz]. All names and sizes of its directory are looked at
// before anything is written; a file that holds more than its directory states is refused.
func Zip(r io.ReaderAt, size int64, dir string, limits Limits, want func(name string) bool) ([]string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrArchive, err)
	}
	w := &writing{root: root, limits: limits.orDefault(), want: want, seen: map[string]bool{}}
	var chosen []*zip.File
	for _, f := range z.File {
		name, err := safe(f.Name)
		if err != nil {
			return nil, err
		}
		mode := f.Mode()
		if mode.IsDir() {
			continue
		}
		if !mode.IsRegular() {
			return nil, fmt.Errorf("%w: %s is a link or a device", ErrUnsafe, excerpt(f.Name))
		}
		if err := w.checkLimits(name, int64(f.UncompressedSize64)); err != nil {
			return nil, err
		}
		if want == nil || want(name) {
			chosen = append(chosen, f)
		}
	}
	for _, f := range chosen {
		if err := w.zipped(f); err != nil {
			return w.names, err
		}
	}
	return w.names, syncDir(dir)
}

func (w *writing) zipped(f *zip.File) error {
	name, err := safe(f.Name)
	if err != nil {
		return err
	}
	body, err := f.Open()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrArchive, err)
	}
	defer body.Close()
	n := int64(f.UncompressedSize64)
	if err := w.file(name, f.Mode().Perm()&0o755, n, &capped{r: body, left: n + 1}); err != nil {
		return err
	}
	w.names = append(w.names, name)
	return nil
}
