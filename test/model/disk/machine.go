//go:build linux

package disk

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"syscall"
	"time"
)

// Process is a process of the machine that is played.
type Process struct {
	ID   int
	Exe  string
	Dead bool

	Started time.Time
}

// Machine is what the functions of this package work on: one at a time.
type Machine struct {
	Disk    *Disk
	Clock   func() time.Time
	Running func() *Process        // the process at work
	Before  func(op, path string)  // a call that changes something, or a sync, is about to be made
	Find    func(pid int) *Process // nil: none
	All     func() []int           // ids of those that run
	Locks   map[string]int         // holder by folder
	Off     map[string]bool        // rules that are taken away
	Seen    map[string]bool        // rules that were asked for
}

// played is the machine; only test/model's explorer, which runs one process of it at a time, compiles rooms with this package.
var played *Machine

// Play makes a machine the one that is worked on.
func Play(m *Machine) { played = m }

// Off reports whether a rule of the product is taken away: the code that obeys it asks here first, see rules.txt of test/model.
func Off(rule string) bool {
	if played == nil {
		return false
	}
	played.Seen[rule] = true
	return played.Off[rule]
}

// Sleep is time.Sleep: nothing else happens meanwhile.
func Sleep(time.Duration) {}

// Now is time.Now.
func Now() time.Time { return played.Clock() }

// Since is time.Since.
func Since(t time.Time) time.Duration { return played.Clock().Sub(t) }

// errDead meets a process that was killed, while it unwinds.
var errDead = errors.New("this process was killed")

// begin is the begin of a call that changes something.
func begin(op, name string) error {
	if played.Running().Dead {
		return &fs.PathError{Op: op, Path: name, Err: errDead}
	}
	played.Before(op, name)
	return nil
}

func fail(op, name string, err error) error { return &fs.PathError{Op: op, Path: name, Err: err} }

// find is the node at a path. follow: also where the last name is a link.
func (d *Disk) find(name string, follow bool) (int, error) {
	parts := strings.FieldsFunc(path.Clean(name), func(r rune) bool { return r == '/' })
	n := 1
	for i, part := range parts {
		v := d.live[n]
		if v.names == nil {
			return 0, syscall.ENOTDIR
		}
		to, ok := v.names[part]
		if !ok {
			return 0, fs.ErrNotExist
		}
		if l := d.live[to]; l.mode&fs.ModeSymlink != 0 && (follow || i < len(parts)-1) {
			target := l.link
			if !path.IsAbs(target) {
				target = path.Join("/"+strings.Join(parts[:i], "/"), target)
			}
			return d.find(path.Join(append([]string{target}, parts[i+1:]...)...), follow)
		}
		n = to
	}
	return n, nil
}

// parent is the folder of a path, and its last name.
func (d *Disk) parent(name string) (dir int, base string, err error) {
	dir, err = d.find(path.Dir(path.Clean(name)), true)
	if err == nil && d.live[dir].names == nil {
		err = syscall.ENOTDIR
	}
	return dir, path.Base(name), err
}

func (d *Disk) add(v *node) int {
	n := d.next
	d.next++
	v.made = played.Clock()
	d.live[n], d.safe[n] = v, v
	return n
}

func (d *Disk) rename(op string, names ...naming) {
	d.change(&Change{Op: op, at: played.Clock(), size: -1, names: names})
}

// Lock takes the lock of a folder for the process at work, or names its holder.
func Lock(dir string) (holder int) {
	if pid, held, _ := Holder(dir); held {
		return pid
	}
	played.Locks[dir] = Getpid()
	return 0
}

// Unlock gives a lock back.
func Unlock(dir string) {
	if played.Locks[dir] == Getpid() {
		delete(played.Locks, dir)
	}
}

// Holder names another process that holds the lock of a folder.
func Holder(dir string) (pid int, held bool, err error) {
	pid = played.Locks[dir]
	return pid, pid != 0 && pid != Getpid() && Alive(pid), nil
}

// Processes are the ids of those that run.
func Processes() []int { return played.All() }
