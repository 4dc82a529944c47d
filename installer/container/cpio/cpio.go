// Package cpio writes and reads cpio archives in the portable ASCII ("odc") form, which is what a macOS flat package has its
// payload and its scripts in.
//
// An archive is a row of records: 76 bytes of octal figures, the name with a zero byte, the data; the last has the name
// TRAILER!!!. Nothing is padded. The figures bound what can be said: 8 GiB − 1 for a file, 262143 for owners and for the number
// of entries (each has its own inode number, so that none is taken for a hard link of another). What does not fit is refused.
//
// Parties: installer/pack writes, tests read back. Same entries, same bytes.
package cpio

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
)

// ErrFormat says that an archive cannot be read, or that an entry cannot be expressed.
var ErrFormat = errors.New("cpio")

// Entry is one file, folder or symbolic link. The target of a link is its data.
type Entry struct {
	Name     string      // as stored, for example ./opt/aws; no zero bytes
	Mode     fs.FileMode // type and permission bits
	UID, GID int
	Time     time.Time // whole seconds
	Size     int64     // of the data, bytes
}

const (
	magic      = "070707"
	trailer    = "TRAILER!!!"
	headerSize = 76
	max6       = 1<<18 - 1 // six octal figures
	max11      = 1<<33 - 1 // eleven
)

// Writer writes one archive.
type Writer struct {
	w     io.Writer
	inode int64
}

// NewWriter begins an archive.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Add writes an entry and its data, of which there must be exactly Size bytes; nil stands for none.
func (w *Writer) Add(e Entry, data io.Reader) error {
	w.inode++
	head, err := header(e, w.inode)
	if err != nil {
		return err
	}
	if _, err := w.w.Write(head); err != nil {
		return err
	}
	if data == nil {
		data = strings.NewReader("")
	}
	n, err := io.Copy(w.w, io.LimitReader(data, e.Size+1))
	if err == nil && n != e.Size {
		err = fmt.Errorf("%w: %q has not the %d bytes it was announced with", ErrFormat, e.Name, e.Size)
	}
	return err
}

// Close ends the archive; the writer below stays open.
func (w *Writer) Close() error {
	_, err := fmt.Fprintf(w.w, "%s%06o%06o%06o%06o%06o%06o%06o%011o%06o%011o%s\x00", magic, 0, 0, 0, 0, 0, 1, 0, 0, len(trailer)+1, 0, trailer)
	return err
}

// header is a record without its data.
func header(e Entry, inode int64) ([]byte, error) {
	links := 1
	if e.Mode.IsDir() {
		links = 2
	}
	name := int64(len(e.Name)) + 1
	if e.Name == "" || e.Name == trailer || strings.IndexByte(e.Name, 0) >= 0 || name > max6 {
		return nil, fmt.Errorf("%w: %.40q cannot be a name", ErrFormat, e.Name)
	}
	if e.Size < 0 || e.Size > max11 || inode > max6 || e.UID < 0 || e.UID > max6 || e.GID < 0 || e.GID > max6 {
		return nil, fmt.Errorf("%w: %q has %d bytes and owner %d:%d as entry %d, which the format has no figures for",
			ErrFormat, e.Name, e.Size, e.UID, e.GID, inode)
	}
	if t := e.Time.Unix(); t < 0 || t > max11 {
		return nil, fmt.Errorf("%w: %q has the time %s", ErrFormat, e.Name, e.Time)
	}
	mode, err := UnixMode(e.Mode)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", e.Name, err)
	}
	return fmt.Appendf(nil, "%s%06o%06o%06o%06o%06o%06o%06o%011o%06o%011o%s\x00", magic, 0, inode, mode, e.UID, e.GID, links, 0,
		e.Time.Unix(), name, e.Size, e.Name), nil
}

// UnixMode is the st_mode of a regular file, folder or symbolic link, as archives for macOS state it.
func UnixMode(m fs.FileMode) (uint16, error) {
	out := uint16(m.Perm())
	for bit, value := range map[fs.FileMode]uint16{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&bit != 0 {
			out |= value
		}
	}
	switch m.Type() {
	case 0:
		return out | 0o100000, nil
	case fs.ModeDir:
		return out | 0o040000, nil
	case fs.ModeSymlink:
		return out | 0o120000, nil
	}
	return 0, fmt.Errorf("%w: there is no place for %s", ErrFormat, m)
}

// FileMode is the opposite of [UnixMode]. [Reader] and the reader of bills use it: tests, and a check of a package's structure to come.
func FileMode(mode uint16) (fs.FileMode, error) {
	out := fs.FileMode(mode & 0o777)
	for bit, value := range map[fs.FileMode]uint16{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&value != 0 {
			out |= bit
		}
	}
	switch mode & 0o170000 {
	case 0o100000:
		return out, nil
	case 0o040000:
		return out | fs.ModeDir, nil
	case 0o120000:
		return out | fs.ModeSymlink, nil
	}
	return 0, fmt.Errorf("%w: mode %o", ErrFormat, mode)
}
