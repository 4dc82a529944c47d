//go:build linux

package disk

import (
	"bytes"
	"io/fs"
	"slices"
	"time"
)

// node is a file, a folder or a symbolic link. It is never changed once an image has it: a change makes another.
type node struct {
	mode  fs.FileMode
	data  []byte
	names map[string]int
	link  string
	made  time.Time // when its content changed last
}

// Image is what lies on a disk: nodes by number. The root folder has number 1.
type Image map[int]*node

func (m Image) clone() Image {
	out := make(Image, len(m))
	for n, v := range m {
		out[n] = v
	}
	return out
}

// naming is one name of a folder, and what it names from now on; 0: nothing.
type naming struct {
	dir  int
	name string
	is   int
}

// Change is what one call changed. Only one of its members counts.
type Change struct {
	Op    string // for people
	at    time.Time
	file  int // of a write, a length or a mode
	off   int64
	data  []byte
	size  int64       // -1: it is no length
	mode  fs.FileMode // 0: it is no mode
	names []naming
}

// touches tells whether a sync of a node makes a change certain.
func (c *Change) touches(n int) bool {
	if c.file == n {
		return true
	}
	return slices.ContainsFunc(c.names, func(x naming) bool { return x.dir == n })
}

// apply makes a change in an image, or as much of it as a fate leaves.
func (m Image) apply(c *Change, fate Fate) {
	for _, x := range c.names {
		dir, ok := m[x.dir]
		if !ok {
			continue
		}
		next := *dir
		next.names = make(map[string]int, len(dir.names)+1)
		for k, v := range dir.names {
			next.names[k] = v
		}
		if x.is == 0 {
			delete(next.names, x.name)
		} else {
			next.names[x.name] = x.is
		}
		m[x.dir] = &next
	}
	if c.file == 0 {
		return
	}
	next := *m[c.file]
	switch {
	case c.mode != 0:
		next.mode = c.mode
	case c.size >= 0:
		next.data = slices.Grow(bytes.Clone(next.data[:min(int64(len(next.data)), c.size)]), int(c.size))[:c.size]
		next.made = c.at
	default:
		data := c.data
		if fate >= Torn {
			data = data[:c.tears()[fate-Torn]]
		}
		next.data = bytes.Clone(next.data)
		if need := int(c.off) + len(data); need > len(next.data) {
			next.data = append(next.data, make([]byte, need-len(next.data))...)
		}
		copy(next.data[c.off:], data)
		next.made = c.at
	}
	m[c.file] = &next
}

// Disk is a disk at work.
type Disk struct {
	live    Image // as processes see it
	safe    Image // certain
	pending []*Change
	next    int
	temp    int // counts temporary names
}

// New is a disk that holds an image; nil: an empty one.
func New(m Image) *Disk {
	if m == nil {
		m = Image{1: {mode: fs.ModeDir | 0o755, names: map[string]int{}}}
	}
	d := &Disk{live: m.clone(), safe: m.clone(), next: 2}
	for n := range m {
		d.next = max(d.next, n+1)
	}
	return d
}

// SyncAll makes everything certain, and returns it.
func (d *Disk) SyncAll() Image {
	d.pending, d.safe = nil, d.live.clone()
	return d.safe.clone()
}

// life is how long a change may be uncertain.
const life = time.Minute

func (d *Disk) change(c *Change) {
	for len(d.pending) > 0 && c.at.Sub(d.pending[0].at) > life {
		d.safe.apply(d.pending[0], Kept)
		d.pending = d.pending[1:]
	}
	d.live.apply(c, Kept)
	if len(c.data) > 0 {
		d.pending = slices.DeleteFunc(d.pending, func(o *Change) bool {
			return o.file == c.file && len(o.data) == len(c.data) && o.off == c.off
		})
	}
	d.pending = append(d.pending, c)
}

// sync makes the changes of a node certain.
func (d *Disk) sync(n int) {
	d.pending = slices.DeleteFunc(d.pending, func(c *Change) bool {
		if !c.touches(n) {
			return false
		}
		d.safe.apply(c, Kept)
		return true
	})
}

// Uncertain are the changes that a power cut may lose, oldest first.
func (d *Disk) Uncertain() []*Change { return slices.Clone(d.pending) }

// Fate is what a power cut does to one change: [Lost], [Kept], or above that torn at one of its places.
type Fate byte

// The fates.
const (
	Lost Fate = iota
	Kept
	Torn
)

// Torn are the fates by which a change is torn.
func (c *Change) Torn() (list []Fate) {
	for i := range c.tears() {
		list = append(list, Torn+Fate(i))
	}
	return list
}

// mostTears bounds the places at which one write is torn.
const mostTears = 9

// tears are the lengths at which a write may be torn: behind each of its first lines, and in the middle of one.
func (c *Change) tears() (list []int) {
	if len(c.data) < 64 {
		return nil
	}
	for at, b := range c.data[:len(c.data)-1] {
		if b == '\n' && len(list) < mostTears-1 {
			list = append(list, at+1)
		}
	}
	return append(list, min(len(c.data)/2, 200))
}

// Cut is the disk after a power cut with these fates of the uncertain changes.
func (d *Disk) Cut(fates []Fate) Image {
	m := d.safe.clone()
	for i, c := range d.pending {
		if fates[i] != Lost {
			m.apply(c, fates[i])
		}
	}
	return m.reachable()
}

// reachable is an image without the nodes that have no name, its nodes numbered in the order of their names.
func (m Image) reachable() Image {
	out, number := Image{}, map[int]int{}
	var walk func(n int) int
	walk = func(n int) int {
		if to, ok := number[n]; ok {
			return to
		}
		to := len(number) + 1
		number[n] = to
		v := m[n]
		if v.names != nil {
			next := *v
			next.names = make(map[string]int, len(v.names))
			for _, name := range sortedNames(v.names) {
				next.names[name] = walk(v.names[name])
			}
			v = &next
		}
		out[to] = v
		return to
	}
	walk(1)
	return out
}

func sortedNames(m map[string]int) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Walk calls visit for everything that has a name, in order.
func (m Image) Walk(visit func(path string, mode fs.FileMode, data []byte)) {
	var walk func(n int, path string)
	walk = func(n int, path string) {
		v := m[n]
		visit(path, v.mode, v.data)
		for _, name := range sortedNames(v.names) {
			walk(v.names[name], path+"/"+name)
		}
	}
	walk(1, "")
}

// Certain tells whether no change of this node's names is uncertain.
func (d *Disk) Certain(path string) bool {
	n, err := d.find(path, true)
	if err != nil {
		return true
	}
	return !slices.ContainsFunc(d.pending, func(c *Change) bool { return c.touches(n) })
}
