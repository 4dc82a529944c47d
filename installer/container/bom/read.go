package bom

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/container/cpio"
)

// Read reads a bill. The order is that of the tree. Damaged input gives an error that wraps [ErrFormat].
//
// The tests of this room and installer/pack read. `ssm-setup verify` is to look at the structure of a
// package with it, too; today it looks at the signature alone.
func Read(b []byte) (list []Entry, err error) {
	r, err := open(b)
	if err != nil {
		return nil, err
	}
	t, err := r.named("Paths")
	if err != nil {
		return nil, err
	}
	at, count, err := treeOf(t)
	if err != nil {
		return nil, err
	}
	paths := map[uint32]string{0: ""}
	for n, err := range r.leaves(at) {
		if err != nil {
			return nil, err
		}
		for _, row := range n.rows {
			e, number, err := r.entry(row, paths)
			if err != nil {
				return nil, err
			}
			paths[number] = e.Path
			list = append(list, e)
		}
	}
	if uint32(len(list)) != count {
		return nil, fmt.Errorf("%w: %d paths of %d", ErrFormat, len(list), count)
	}
	return list, nil
}

type reader struct {
	b      []byte
	index  []byte // eight bytes per block
	blocks map[string]uint32
}

func open(b []byte) (*reader, error) {
	if len(b) < 32 || string(b[:8]) != magic {
		return nil, fmt.Errorf("%w: it does not begin with %s", ErrFormat, magic)
	}
	r := &reader{b: b, blocks: map[string]uint32{}}
	word := func(i int) uint32 { return binary.BigEndian.Uint32(b[i:]) }
	if word(8) != 1 {
		return nil, fmt.Errorf("%w: version %d", ErrFormat, word(8))
	}
	index, err := cut(b, word(16), word(20))
	if err != nil {
		return nil, err
	}
	names, err := cut(b, word(24), word(28))
	if err != nil {
		return nil, err
	}
	if len(index) < 4 || len(names) < 4 {
		return nil, fmt.Errorf("%w: no index", ErrFormat)
	}
	count := uint64(binary.BigEndian.Uint32(index))
	if count*8 > uint64(len(index)-4) {
		return nil, fmt.Errorf("%w: an index of %d blocks in %d bytes", ErrFormat, count, len(index))
	}
	r.index = index[4 : 4+count*8]
	return r, r.readNames(names)
}

func (r *reader) readNames(b []byte) error {
	count := binary.BigEndian.Uint32(b)
	for b = b[4:]; count > 0; count-- {
		if len(b) < 5 || len(b) < 5+int(b[4]) {
			return fmt.Errorf("%w: the names end early", ErrFormat)
		}
		n := 5 + int(b[4])
		r.blocks[string(b[5:n])] = binary.BigEndian.Uint32(b)
		b = b[n:]
	}
	return nil
}

func cut(b []byte, from, length uint32) ([]byte, error) {
	if uint64(from)+uint64(length) > uint64(len(b)) {
		return nil, fmt.Errorf("%w: bytes %d to %d of %d", ErrFormat, from, uint64(from)+uint64(length), len(b))
	}
	return b[from:][:length], nil
}

func (r *reader) block(i uint32) ([]byte, error) {
	if i == 0 || uint64(i)*8 >= uint64(len(r.index)) {
		return nil, fmt.Errorf("%w: block %d of %d", ErrFormat, i, len(r.index)/8)
	}
	at := r.index[i*8:]
	return cut(r.b, binary.BigEndian.Uint32(at), binary.BigEndian.Uint32(at[4:]))
}

// sized is a block of at least so many bytes.
func (r *reader) sized(i uint32, size int) ([]byte, error) {
	b, err := r.block(i)
	if err == nil && len(b) < size {
		err = fmt.Errorf("%w: block %d has %d bytes", ErrFormat, i, len(b))
	}
	return b, err
}

func (r *reader) named(name string) ([]byte, error) {
	i, ok := r.blocks[name]
	if !ok {
		return nil, fmt.Errorf("%w: no %s", ErrFormat, name)
	}
	return r.block(i)
}

func treeOf(b []byte) (root, count uint32, err error) {
	if len(b) < 21 || string(b[:4]) != "tree" {
		return 0, 0, fmt.Errorf("%w: no tree", ErrFormat)
	}
	return binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[16:]), nil
}

func (r *reader) node(i uint32) (n node, err error) {
	b, err := r.sized(i, nodeHead)
	if err != nil {
		return n, err
	}
	n.leaf = b[1] == 1
	count := int(binary.BigEndian.Uint16(b[2:]))
	n.forward, n.backward = binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	if len(b) < nodeHead+count*8 {
		return n, fmt.Errorf("%w: a node with %d rows in %d bytes", ErrFormat, count, len(b))
	}
	for b = b[nodeHead:]; count > 0; count, b = count-1, b[8:] {
		n.rows = append(n.rows, row{value: binary.BigEndian.Uint32(b), key: binary.BigEndian.Uint32(b[4:])})
	}
	return n, nil
}

// leaves goes down to the first leaf and then along the chain. A chain longer than there are blocks leads in a circle.
func (r *reader) leaves(at uint32) func(func(node, error) bool) {
	return func(yield func(node, error) bool) {
		for range len(r.index) / 8 {
			n, err := r.node(at)
			switch {
			case err != nil:
				yield(n, err)
				return
			case n.leaf && (!yield(n, nil) || n.forward == 0):
				return
			case n.leaf:
				at = n.forward
			case len(n.rows) == 0:
				yield(n, fmt.Errorf("%w: an empty branch", ErrFormat))
				return
			default:
				at = n.rows[0].value
			}
		}
		yield(node{}, fmt.Errorf("%w: nodes in a circle", ErrFormat))
	}
}

// entry reads a path's three blocks.
func (r *reader) entry(at row, paths map[uint32]string) (e Entry, number uint32, err error) {
	key, err := r.sized(at.key, 5)
	if err != nil {
		return e, 0, err
	}
	own, err := r.sized(at.value, 8)
	if err != nil {
		return e, 0, err
	}
	number = binary.BigEndian.Uint32(own)
	parent, known := paths[binary.BigEndian.Uint32(key)]
	name := key[4 : len(key)-1]
	if !known || key[len(key)-1] != 0 || bytes.IndexByte(name, 0) >= 0 || len(parent)+len(name) > 1<<14 {
		return e, 0, fmt.Errorf("%w: a path %.40q below number %d", ErrFormat, name, binary.BigEndian.Uint32(key))
	}
	if e.Path = string(name); parent != "" {
		e.Path = parent + "/" + e.Path
	}
	facts, err := r.sized(binary.BigEndian.Uint32(own[4:]), 31)
	if err != nil {
		return e, 0, err
	}
	return e, number, e.read(facts)
}

func (e *Entry) read(b []byte) (err error) {
	word := func(i int) uint32 { return binary.BigEndian.Uint32(b[i:]) }
	if e.Mode, err = cpio.FileMode(binary.BigEndian.Uint16(b[4:])); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	e.UID, e.GID, e.Time, e.Size = word(6), word(10), time.Unix(int64(word(14)), 0).UTC(), int64(word(18))
	if kindOf(*e) != b[0] || !slices.Contains([]byte{kindFile, kindFolder, kindLink}, b[0]) {
		return fmt.Errorf("%w: %q is of kind %d with mode %s", ErrFormat, e.Path, b[0], e.Mode)
	}
	e.Sum = word(23)
	if b[0] != kindLink {
		return nil
	}
	target, err := cut(b, 31, word(27))
	if err != nil || len(target) == 0 || target[len(target)-1] != 0 {
		return fmt.Errorf("%w: %q leads nowhere", ErrFormat, e.Path)
	}
	e.Link = string(target[:len(target)-1])
	return nil
}
