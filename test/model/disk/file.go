//go:build linux

package disk

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"syscall"
	"time"
)

// File is an open file or folder.
type File struct {
	name string
	n    int // 0: a stream, which takes everything
	at   int64
	end  bool // writes go to the end
	shut bool
}

// Open opens a file to read.
func Open(name string) (*File, error) { return OpenFile(name, O_RDONLY, 0) }

// Create makes a file.
func Create(name string) (*File, error) { return OpenFile(name, O_RDWR|O_CREATE|O_TRUNC, 0o666) }

// OpenFile opens a file.
func OpenFile(name string, flag int, mode FileMode) (*File, error) {
	d := played.Disk
	n, err := d.find(name, true)
	switch {
	case err == nil && flag&(O_CREATE|O_EXCL) == O_CREATE|O_EXCL:
		err = fs.ErrExist
	case errors.Is(err, fs.ErrNotExist) && flag&O_CREATE != 0:
		if err := begin("create", name); err != nil {
			return nil, err
		}
		dir, base, err := d.parent(name)
		if err != nil {
			return nil, fail("open", name, err)
		}
		n = d.add(&node{mode: mode.Perm() &^ 0o022})
		d.rename("create "+name, naming{dir, base, n})
		return &File{name: name, n: n, end: flag&O_APPEND != 0}, nil
	case err == nil && d.live[n].names != nil && flag&(O_WRONLY|O_RDWR) != 0:
		err = syscall.EISDIR
	}
	if err != nil {
		return nil, fail("open", name, err)
	}
	f := &File{name: name, n: n, end: flag&O_APPEND != 0}
	if flag&O_TRUNC != 0 && len(d.live[n].data) > 0 {
		return f, f.Truncate(0)
	}
	return f, nil
}

// Name is the name it was opened by.
func (f *File) Name() string { return f.name }

// Fd is no number that means something.
func (f *File) Fd() uintptr { return 0 }

func (f *File) node() *node { return played.Disk.live[f.n] }

// Read reads on.
func (f *File) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.at)
	f.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// ReadAt reads anywhere.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if f.n == 0 {
		return 0, io.EOF
	}
	if f.node().names != nil {
		return 0, fail("read", f.name, syscall.EISDIR)
	}
	data := f.node().data
	if off >= int64(len(data)) {
		return 0, io.EOF
	}
	n := copy(p, data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Write writes on.
func (f *File) Write(p []byte) (int, error) {
	if f.n != 0 && f.end {
		f.at = int64(len(f.node().data))
	}
	n, err := f.WriteAt(p, f.at)
	f.at += int64(n)
	return n, err
}

// WriteString is Write.
func (f *File) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

// WriteAt writes anywhere.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	if f.n == 0 || len(p) == 0 {
		return len(p), nil
	}
	if err := begin("write", f.name); err != nil {
		return 0, err
	}
	played.Disk.change(&Change{Op: "write " + f.name, at: played.Clock(), file: f.n, size: -1, off: off, data: append([]byte(nil), p...)})
	return len(p), nil
}

// Truncate sets its length.
func (f *File) Truncate(size int64) error {
	if err := begin("truncate", f.name); err != nil {
		return err
	}
	played.Disk.change(&Change{Op: "truncate " + f.name, at: played.Clock(), file: f.n, size: size})
	return nil
}

// Seek moves the place of reading and writing.
func (f *File) Seek(off int64, from int) (int64, error) {
	switch from {
	case io.SeekCurrent:
		off += f.at
	case io.SeekEnd:
		off += int64(len(f.node().data))
	}
	f.at = off
	return off, nil
}

// Sync makes certain what was changed of it.
func (f *File) Sync() error {
	if f.n == 0 {
		return nil
	}
	if err := begin("sync", f.name); err != nil {
		return err
	}
	played.Disk.sync(f.n)
	return nil
}

// Chmod sets its mode.
func (f *File) Chmod(mode FileMode) error {
	if err := begin("chmod", f.name); err != nil {
		return err
	}
	played.Disk.chmod(f.n, f.name, mode)
	return nil
}

// Stat is what is known of it.
func (f *File) Stat() (FileInfo, error) {
	if f.n == 0 {
		return nil, fail("stat", f.name, fs.ErrNotExist)
	}
	return info{path.Base(f.name), f.node(), f.n}, nil
}

// Readdirnames lists a folder.
func (f *File) Readdirnames(int) ([]string, error) { return sortedNames(f.node().names), nil }

// ReadDir lists a folder.
func (f *File) ReadDir(int) ([]DirEntry, error) { return ReadDir(f.name) }

// Close closes it; twice is an error, as it is in os.
func (f *File) Close() error {
	if f.shut {
		return fs.ErrClosed
	}
	f.shut = true
	return nil
}

// SetDeadline does nothing.
func (f *File) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (f *File) SetReadDeadline(time.Time) error { return nil }

// Root is a folder that nothing leads out of. Archives of the model hold no name that would.
type Root struct{ dir string }

// OpenRoot opens a folder.
func OpenRoot(dir string) (*Root, error) {
	_, err := Stat(dir)
	return &Root{dir}, err
}

// OpenFile opens a file below it.
func (r *Root) OpenFile(name string, flag int, mode FileMode) (*File, error) {
	return OpenFile(path.Join(r.dir, name), flag, mode)
}

// Open opens a file below it to read.
func (r *Root) Open(name string) (*File, error) { return Open(path.Join(r.dir, name)) }

// Mkdir makes a folder below it.
func (r *Root) Mkdir(name string, mode FileMode) error { return Mkdir(path.Join(r.dir, name), mode) }

// MkdirAll makes folders below it.
func (r *Root) MkdirAll(name string, mode FileMode) error {
	return MkdirAll(path.Join(r.dir, name), mode)
}

// Chmod sets a mode below it.
func (r *Root) Chmod(name string, mode FileMode) error { return Chmod(path.Join(r.dir, name), mode) }

// Lstat is what is known of a file below it.
func (r *Root) Lstat(name string) (FileInfo, error) { return Lstat(path.Join(r.dir, name)) }

// Close does nothing.
func (r *Root) Close() error { return nil }

// Chown does nothing: everything is root's.
func (f *File) Chown(int, int) error { return nil }
