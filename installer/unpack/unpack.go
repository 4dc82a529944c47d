// Package unpack puts an archive (tar.gz or zip) into a folder, and nothing anywhere else.
//
// The archive is taken for hostile: names that leave the folder, links of either kind, devices, names twice, too many files,
// files or sums larger than the caller allows are refused, sizes before anything of that file is read. The folder is opened
// once (os.Root), so that nothing in it can lead out of it either. Files get their own permission bits without set-id bits and
// without write for group and others, and are synced; folders are 0755. What was written when an archive is refused stays for
// the caller to remove: unpack into a folder of your own.
//
// Facts: docs/protocol/update.md, "Download and verification".
package unpack

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Limits of what is accepted. Zero values mean the defaults.
type Limits struct {
	Files int   // number of files; default 1000
	File  int64 // bytes of one file; default 128 MiB
	Total int64 // bytes of all files; default 128 MiB
}

func (l Limits) orDefault() Limits {
	if l.Files == 0 {
		l.Files = 1000
	}
	if l.File == 0 {
		l.File = 128 << 20
	}
	if l.Total == 0 {
		l.Total = 128 << 20
	}
	return l
}

// Faults that callers test for.
var (
	ErrArchive = fault.New(fault.Verify, "the archive is damaged",
		"the package is damaged although its checksum is right: publish it anew")
	ErrUnsafe = fault.New(fault.Verify, "the archive holds what an agent's package never does",
		"this is not a package of ssm-setup build")
	ErrTooBig = fault.New(fault.Verify, "the archive is larger than accepted",
		"this is not a package of ssm-setup build")
)

// File unpacks an archive, see [Opened].
func File(archive, dir string, limits Limits, want func(name string) bool) ([]string, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Opened(f, dir, limits, want)
}

// Opened unpacks a tar.gz or zip file, which it tells apart by their first bytes; see [TarGz] and [Zip].
func Opened(f *os.File, dir string, limits Limits, want func(name string) bool) ([]string, error) {
	var head [4]byte
	if _, err := f.ReadAt(head[:], 0); err == nil && string(head[:]) == "PK\x03\x04" {
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		return Zip(f, info.Size(), dir, limits, want)
	}
	return TarGz(f, dir, limits, want)
}

// TarGz unpacks into dir, which must exist and should be empty. want picks files by their name in the archive (nil: all).
// It returns the names written, in the archive's order; the archive is read to its end.
func TarGz(r io.Reader, dir string, limits Limits, want func(name string) bool) ([]string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrArchive, err)
	}
	limits = limits.orDefault()
	w := &writing{root: root, limits: limits, want: want, seen: map[string]bool{}}
	// Headers count too: no stream may be longer than its files, their padding and a bounded number of headers.
	whole := &capped{r: z, left: limits.Total + int64(limits.Files)*4096 + 1<<16}
	t := tar.NewReader(whole)
	for {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return w.names, damaged(err)
		}
		if err := w.entry(h, t); err != nil {
			return w.names, err
		}
	}
	if _, err := io.Copy(io.Discard, whole); err != nil { // the checksum of gzip stands at its end
		return w.names, damaged(err)
	}
	return w.names, syncDir(dir)
}

func damaged(err error) error {
	if errors.Is(err, ErrTooBig) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrArchive, err)
}

// capped reads at most so many bytes.
type capped struct {
	r    io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, ErrTooBig
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

type writing struct {
	root   *os.Root
	limits Limits
	want   func(string) bool
	seen   map[string]bool
	names  []string
	total  int64
}

func (w *writing) entry(h *tar.Header, body io.Reader) error {
	name, err := safe(h.Name)
	if err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return nil // folders come with their files
	case tar.TypeReg:
	case tar.TypeXGlobalHeader:
		return nil
	default:
		return fmt.Errorf("%w: %s is a link or a device", ErrUnsafe, excerpt(h.Name))
	}
	if err := w.checkLimits(name, h.Size); err != nil || w.want != nil && !w.want(name) {
		return err
	}
	if err := w.file(name, fs.FileMode(h.Mode)&0o755, h.Size, body); err != nil {
		return err
	}
	w.names = append(w.names, name)
	return nil
}

// checkLimits compares the next file with the limits, before anything of it is read.
func (w *writing) checkLimits(name string, size int64) error {
	if w.seen[strings.ToLower(name)] {
		return fmt.Errorf("%w: %s twice", ErrUnsafe, excerpt(name))
	}
	w.seen[strings.ToLower(name)] = true
	w.total += size
	switch {
	case len(w.seen) > w.limits.Files:
		return fmt.Errorf("%w: more than %d files", ErrTooBig, w.limits.Files)
	case size > w.limits.File || size < 0:
		return fmt.Errorf("%w: %s has %d bytes, at most %d accepted", ErrTooBig, excerpt(name), size, w.limits.File)
	case w.total > w.limits.Total:
		return fmt.Errorf("%w: more than %d bytes in all", ErrTooBig, w.limits.Total)
	}
	return nil
}

func (w *writing) file(name string, mode fs.FileMode, size int64, body io.Reader) error {
	if dir := path.Dir(name); dir != "." {
		if err := w.root.MkdirAll(filepath.FromSlash(dir), 0o755); err != nil {
			return err
		}
	}
	f, err := w.root.OpenFile(filepath.FromSlash(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(f, &faithful{r: body})
	var read *readError
	if errors.As(err, &read) {
		return damaged(read.err)
	}
	if err != nil {
		return err
	}
	if n != size {
		return fmt.Errorf("%w: %s has %d of %d bytes", ErrArchive, name, n, size)
	}
	if err := f.Chmod(mode); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// faithful marks errors of reading, so that a full disk is not taken for a damaged archive.
type faithful struct{ r io.Reader }

type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

func (f *faithful) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && err != io.EOF {
		err = &readError{err}
	}
	return n, err
}

// safe is the clean form of a name that stays below its folder on every system.
func safe(name string) (string, error) {
	clean := path.Clean(name)
	bad := name == "" || len(name) > 1024 || strings.ContainsAny(name, "\\:\x00") || path.IsAbs(name) ||
		clean == ".." || strings.HasPrefix(clean, "../") || !filepath.IsLocal(filepath.FromSlash(clean))
	if bad {
		return "", fmt.Errorf("%w: attempts to place files outside its folder: %s", ErrUnsafe, excerpt(name))
	}
	return clean, nil
}

func excerpt(name string) string {
	if len(name) > 80 {
		name = name[:80] + "…"
	}
	return fmt.Sprintf("%q", name)
}

// syncDir makes the names durable; systems that cannot sync a folder are let be.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	_ = d.Sync()
	return nil
}
