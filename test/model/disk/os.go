//go:build linux

package disk

import (
	"errors"
	"io/fs"
	stdos "os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Types that are the same here as in package os.
type (
	// FileInfo is the one of package os.
	FileInfo = fs.FileInfo
	// FileMode is the one of package os.
	FileMode = fs.FileMode
	// DirEntry is the one of package os.
	DirEntry = fs.DirEntry
	// PathError is the one of package os.
	PathError = fs.PathError
	// LinkError is the one of package os.
	LinkError = stdos.LinkError
	// Signal is the one of package os.
	Signal = stdos.Signal
	// ProcAttr is the one of package os.
	ProcAttr = stdos.ProcAttr
)

// The same for values.
const (
	O_RDONLY      = stdos.O_RDONLY
	O_WRONLY      = stdos.O_WRONLY
	O_RDWR        = stdos.O_RDWR
	O_APPEND      = stdos.O_APPEND
	O_CREATE      = stdos.O_CREATE
	O_EXCL        = stdos.O_EXCL
	O_TRUNC       = stdos.O_TRUNC
	ModeSticky    = fs.ModeSticky
	ModeSymlink   = fs.ModeSymlink
	ModeDir       = fs.ModeDir
	ModePerm      = fs.ModePerm
	DevNull       = stdos.DevNull
	PathSeparator = stdos.PathSeparator
)

// The same for errors and signals.
var (
	ErrNotExist         = fs.ErrNotExist
	ErrExist            = fs.ErrExist
	ErrPermission       = fs.ErrPermission
	ErrClosed           = fs.ErrClosed
	ErrProcessDone      = stdos.ErrProcessDone
	ErrDeadlineExceeded = stdos.ErrDeadlineExceeded
	Interrupt           = stdos.Interrupt
	Kill                = stdos.Kill
	Stdin               = &File{name: "/dev/stdin"}
	Stdout              = &File{name: "/dev/stdout"}
	Stderr              = &File{name: "/dev/stderr"}
	Args                = []string{"ssm-agent-worker"}
)

// Getpid is the id of the process at work.
func Getpid() int { return played.Running().ID }

// Executable is its program.
func Executable() (string, error) { return played.Running().Exe, nil }

// Getuid is root's.
func Getuid() int { return 0 }

// Geteuid is root's.
func Geteuid() int { return 0 }

// Getenv is of an empty environment.
func Getenv(string) string { return "" }

// Environ is empty.
func Environ() []string { return nil }

// Unsetenv does nothing.
func Unsetenv(string) error { return nil }

// Alive reports whether a process runs.
func Alive(pid int) bool { p := played.Find(pid); return p != nil && !p.Dead }

// Program is what a process runs.
func Program(pid int) (string, error) {
	if p := played.Find(pid); p != nil && !p.Dead {
		return p.Exe, nil
	}
	return "", fs.ErrNotExist
}

// Started is when a process started.
func Started(pid int) (time.Time, error) {
	if p := played.Find(pid); p != nil {
		return p.Started, nil
	}
	return time.Time{}, fs.ErrNotExist
}

// FindProcess finds a process.
func FindProcess(pid int) (*Target, error) { return &Target{Pid: pid}, nil }

// Target is a process that another one may end. The explorer ends processes itself: no call reaches it.
type Target struct{ Pid int }

// Kill does nothing.
func (*Target) Kill() error { return nil }

// Signal does nothing.
func (*Target) Signal(Signal) error { return nil }

// Release does nothing.
func (*Target) Release() error { return nil }

// Pipe is not there: no process is started.
func Pipe() (r, w *File, err error) { return nil, nil, errors.ErrUnsupported }

// NewFile is not there.
func NewFile(uintptr, string) *File { return nil }

// info is what is known of a node.
type info struct {
	name string
	node *node
	n    int
}

func (i info) Name() string               { return i.name }
func (i info) Size() int64                { return int64(len(i.node.data)) }
func (i info) Mode() fs.FileMode          { return i.node.mode }
func (i info) ModTime() time.Time         { return i.node.made }
func (i info) IsDir() bool                { return i.node.mode.IsDir() }
func (i info) Sys() any                   { return &syscall.Stat_t{Ino: uint64(i.n), Nlink: 1} }
func (i info) Type() fs.FileMode          { return i.node.mode.Type() }
func (i info) Info() (fs.FileInfo, error) { return i, nil }

// SameFile reports whether two infos are of one file.
func SameFile(a, b FileInfo) bool {
	x, ok := a.(info)
	y, ok2 := b.(info)
	return ok && ok2 && x.n == y.n
}

func stat(op, name string, follow bool) (FileInfo, error) {
	n, err := played.Disk.find(name, follow)
	if err != nil {
		return nil, fail(op, name, err)
	}
	return info{path.Base(name), played.Disk.live[n], n}, nil
}

// Stat is what is known of a file, links followed.
func Stat(name string) (FileInfo, error) { return stat("stat", name, true) }

// Lstat is Stat of a link itself.
func Lstat(name string) (FileInfo, error) { return stat("lstat", name, false) }

// Readlink is where a link leads.
func Readlink(name string) (string, error) {
	n, err := played.Disk.find(name, false)
	if err == nil && played.Disk.live[n].mode&fs.ModeSymlink == 0 {
		err = syscall.EINVAL
	}
	if err != nil {
		return "", fail("readlink", name, err)
	}
	return played.Disk.live[n].link, nil
}

// ReadDir lists a folder.
func ReadDir(name string) ([]DirEntry, error) {
	n, err := played.Disk.find(name, true)
	if err == nil && played.Disk.live[n].names == nil {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, fail("open", name, err)
	}
	var list []DirEntry
	names := played.Disk.live[n].names
	for _, x := range sortedNames(names) {
		list = append(list, info{x, played.Disk.live[names[x]], names[x]})
	}
	return list, nil
}

// Mkdir makes a folder.
func Mkdir(name string, mode FileMode) error {
	if err := begin("mkdir", name); err != nil {
		return err
	}
	d := played.Disk
	dir, base, err := d.parent(name)
	if err == nil && d.live[dir].names[base] != 0 {
		err = fs.ErrExist
	}
	if err != nil {
		return fail("mkdir", name, err)
	}
	d.rename("mkdir "+name, naming{dir, base, d.add(&node{mode: fs.ModeDir | mode.Perm()&^0o022, names: map[string]int{}})})
	return nil
}

// MkdirAll makes a folder and those above it.
func MkdirAll(name string, mode FileMode) error {
	if v, err := Stat(name); err == nil {
		if !v.IsDir() {
			return fail("mkdir", name, syscall.ENOTDIR)
		}
		return nil
	}
	if err := MkdirAll(path.Dir(name), mode); err != nil {
		return err
	}
	return Mkdir(name, mode)
}

func unique(pattern string) string {
	played.Disk.temp++
	before, after, ok := strings.Cut(pattern, "*")
	if !ok {
		after = ""
	}
	return before + "t" + strconv.Itoa(played.Disk.temp) + after
}

// MkdirTemp makes a folder with a new name.
func MkdirTemp(dir, pattern string) (string, error) {
	for {
		name := path.Join(dir, unique(pattern))
		if err := Mkdir(name, 0o700); !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
}

// CreateTemp makes a file with a new name.
func CreateTemp(dir, pattern string) (*File, error) {
	for {
		f, err := OpenFile(path.Join(dir, unique(pattern)), O_RDWR|O_CREATE|O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// Remove removes a file or an empty folder.
func Remove(name string) error {
	if err := begin("remove", name); err != nil {
		return err
	}
	d := played.Disk
	dir, base, err := d.parent(name)
	if err == nil && d.live[dir].names[base] == 0 {
		err = fs.ErrNotExist
	}
	if err == nil && len(d.live[d.live[dir].names[base]].names) > 0 {
		err = syscall.ENOTEMPTY
	}
	if err != nil {
		return fail("remove", name, err)
	}
	d.rename("remove "+name, naming{dir, base, 0})
	return nil
}

// RemoveAll removes a folder and what is in it, one by one.
func RemoveAll(name string) error {
	list, err := ReadDir(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range list {
		if err := RemoveAll(path.Join(name, e.Name())); err != nil {
			return err
		}
	}
	if err := Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Rename gives a file another name, in place of what has it.
func Rename(from, to string) error {
	if err := begin("rename", to); err != nil {
		return err
	}
	d := played.Disk
	dir, base, err := d.parent(from)
	into, name, err2 := d.parent(to)
	if err = errors.Join(err, err2); err == nil && d.live[dir].names[base] == 0 {
		err = fs.ErrNotExist
	}
	if err == nil {
		if n := d.live[into].names[name]; n != 0 && len(d.live[n].names) > 0 {
			err = syscall.ENOTEMPTY
		}
	}
	if err != nil {
		return &LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	d.rename("rename "+from+" to "+to, naming{dir, base, 0}, naming{into, name, d.live[dir].names[base]})
	return nil
}

// Link gives a file a further name.
func Link(from, to string) error {
	if err := begin("link", to); err != nil {
		return err
	}
	d := played.Disk
	n, err := d.find(from, false)
	into, name, err2 := d.parent(to)
	if err = errors.Join(err, err2); err == nil && d.live[into].names[name] != 0 {
		err = fs.ErrExist
	}
	if err != nil {
		return &LinkError{Op: "link", Old: from, New: to, Err: err}
	}
	d.rename("link "+to, naming{into, name, n})
	return nil
}

// Chmod sets a mode.
func Chmod(name string, mode FileMode) error {
	if err := begin("chmod", name); err != nil {
		return err
	}
	n, err := played.Disk.find(name, true)
	if err != nil {
		return fail("chmod", name, err)
	}
	played.Disk.chmod(n, name, mode)
	return nil
}

func (d *Disk) chmod(n int, name string, mode FileMode) {
	was := d.live[n].mode
	if next := was.Type() | mode.Perm(); next != was {
		d.change(&Change{Op: "chmod " + name, at: played.Clock(), file: n, size: -1, mode: next})
	}
}

// Truncate sets a length.
func Truncate(name string, size int64) error {
	f, err := OpenFile(name, O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Truncate(size)
}

// ReadFile reads a file. What it returns is the disk's own: no room changes it.
func ReadFile(name string) ([]byte, error) {
	f, err := Open(name)
	if err != nil {
		return nil, err
	}
	if f.node().names != nil {
		return nil, fail("read", name, syscall.EISDIR)
	}
	return slices.Clip(f.node().data), nil
}

// WriteFile makes or replaces a file in place.
func WriteFile(name string, data []byte, mode FileMode) error {
	f, err := OpenFile(name, O_WRONLY|O_CREATE|O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return err
}
