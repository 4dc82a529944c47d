package bom

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/container/cpio"
)

// Write writes the bill of a list of entries, in any order.
func Write(w io.Writer, entries []Entry) error {
	list, err := order(entries)
	if err != nil {
		return err
	}
	s := &store{blocks: [][]byte{nil}}
	s.name("BomInfo", info(list))
	paths, err := s.paths(list)
	if err != nil {
		return err
	}
	s.name("Paths", tree(paths, nodeSize, len(list)))
	empty := func() uint32 { return s.add(node{leaf: true}.bytes(nodeSize)) }
	s.name("HLIndex", tree(empty(), nodeSize, 0))
	views := s.add(tree(s.add(node{leaf: true}.bytes(128)), 128, 0))
	s.name("VIndex", append(words(1, views, 0), 0))
	s.name("Size64", tree(empty(), nodeSize, 0))
	return s.write(w)
}

// numbered is an entry with its parent's number; its own is its place in the list, from 1 up.
type numbered struct {
	Entry
	parent uint32
	name   string
}

// order numbers entries folder by folder, so that the order of numbers is the order of the tree: by parent, then by name.
func order(entries []Entry) ([]numbered, error) {
	below := map[string][]numbered{}
	for _, e := range entries {
		parent, name := split(e.Path)
		if err := check(e, name); err != nil {
			return nil, err
		}
		below[parent] = append(below[parent], numbered{Entry: e, name: name})
	}
	var list []numbered
	number := map[string]uint32{"": 0}
	for todo := []string{""}; len(todo) > 0; todo = todo[1:] {
		folder := below[todo[0]]
		slices.SortFunc(folder, func(a, b numbered) int { return strings.Compare(a.name, b.name) })
		for _, n := range folder {
			if _, twice := number[n.Path]; twice {
				return nil, fmt.Errorf("%w: %q is listed twice", ErrFormat, n.Path)
			}
			n.parent = number[todo[0]]
			list = append(list, n)
			number[n.Path] = uint32(len(list))
			todo = append(todo, n.Path)
		}
	}
	if len(list) != len(entries) {
		for _, e := range entries {
			if _, ok := number[e.Path]; !ok {
				return nil, fmt.Errorf("%w: %q is listed without its folder", ErrFormat, e.Path)
			}
		}
	}
	return list, nil
}

// split cuts ./opt/aws into ./opt and aws; the parent of "." is the empty path.
func split(path string) (parent, name string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}

func check(e Entry, name string) error {
	switch {
	case e.Path != "." && !strings.HasPrefix(e.Path, "./"), e.Path != "." && name == ".", name == "", name == "..", strings.IndexByte(name,
		0) >= 0:
		return fmt.Errorf("%w: %q cannot be a path", ErrFormat, e.Path)
	case e.Size < 0 || e.Size > 1<<32-1:
		return fmt.Errorf("%w: %q has %d bytes; 4 GiB is the limit", ErrFormat, e.Path, e.Size)
	case e.Time.Unix() < 0 || e.Time.Unix() > 1<<32-1:
		return fmt.Errorf("%w: %q has the time %s", ErrFormat, e.Path, e.Time)
	case strings.IndexByte(e.Link, 0) >= 0 || e.Link != "" && kindOf(e) != kindLink:
		return fmt.Errorf("%w: %q leads to %q", ErrFormat, e.Path, e.Link)
	}
	return nil
}

func kindOf(e Entry) byte {
	switch {
	case e.Mode.IsRegular():
		return kindFile
	case e.Mode.IsDir():
		return kindFolder
	}
	return kindLink // others have no mode here, see cpio.UnixMode
}

// info says how many paths there are (and one more) and how many bytes they have together.
func info(list []numbered) []byte {
	var total uint32 // wraps above 4 GiB, like the field
	for _, n := range list {
		total += uint32(n.Size)
	}
	return words(1, uint32(len(list))+1, 1, 0, 0, total, 0)
}

// paths writes the blocks of all paths and returns the block of the tree's root node.
func (s *store) paths(list []numbered) (uint32, error) {
	var rows []row
	for i, n := range list {
		facts, err := n.facts()
		if err != nil {
			return 0, err
		}
		key := append(append(words(n.parent), n.name...), 0)
		rows = append(rows, row{value: s.add(words(uint32(i+1), s.add(facts))), key: s.add(key)})
	}
	return s.nodes(rows, true), nil
}

// nodes writes one level of a tree, and the levels above it as long as there is more than one node.
func (s *store) nodes(rows []row, leaf bool) uint32 {
	var above []row
	var level []node
	for {
		n := min(len(rows), perNode)
		level = append(level, node{leaf: leaf, rows: rows[:n]})
		if rows = rows[n:]; len(rows) == 0 {
			break
		}
	}
	first := uint32(len(s.blocks))
	for i, n := range level {
		if i > 0 {
			n.backward = first + uint32(i) - 1
		}
		if i < len(level)-1 {
			n.forward = first + uint32(i) + 1
		}
		at := s.add(n.bytes(nodeSize))
		if len(level) > 1 {
			above = append(above, row{value: at, key: n.rows[len(n.rows)-1].key})
		}
	}
	if len(level) == 1 {
		return first
	}
	return s.nodes(above, false)
}

// facts is a path's mode, owner, time, size, checksum and target. The architecture word is what Apple's tool writes; the zero
// words at the end are as many as it writes for each kind.
func (n numbered) facts() ([]byte, error) {
	mode, err := cpio.UnixMode(n.Mode)
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w", ErrFormat, n.Path, err)
	}
	kind := kindOf(n.Entry)
	b := []byte{kind, 1, 0, 0x0f}
	b = binary.BigEndian.AppendUint16(b, mode)
	b = append(b, words(n.UID, n.GID, uint32(n.Time.Unix()), uint32(n.Size))...)
	b = append(b, 1)
	switch kind {
	case kindFile:
		b = append(b, words(n.Sum, 0, 0)...)
	case kindFolder:
		b = append(b, words(0, 0)...)
	case kindLink:
		b = append(b, words(n.Sum, uint32(len(n.Link)+1))...)
		b = append(append(b, n.Link...), 0)
		b = append(b, words(0, 0)...)
	}
	return b, nil
}

func (n node) bytes(size int) []byte {
	b := make([]byte, nodeHead, size)
	if n.leaf {
		b[1] = 1
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(n.rows)))
	binary.BigEndian.PutUint32(b[4:], n.forward)
	binary.BigEndian.PutUint32(b[8:], n.backward)
	for _, r := range n.rows {
		b = append(b, words(r.value, r.key)...)
	}
	return b[:size]
}

// tree is the head of a tree.
func tree(root uint32, size, count int) []byte {
	return append(append([]byte("tree"), words(1, root, uint32(size), uint32(count))...), 0)
}

func words(list ...uint32) []byte {
	var b []byte
	for _, v := range list {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// store collects blocks and names.
type store struct {
	blocks [][]byte
	names  []byte
	count  uint32
}

func (s *store) add(b []byte) uint32 {
	s.blocks = append(s.blocks, b)
	return uint32(len(s.blocks) - 1)
}

func (s *store) name(name string, b []byte) {
	s.names = append(s.names, words(s.add(b))...)
	s.names = append(append(s.names, byte(len(name))), name...)
	s.count++
}

// write lays out header, names, blocks and index.
func (s *store) write(w io.Writer) error {
	names := append(words(s.count), s.names...)
	index := words(uint32(len(s.blocks)), 0, 0)
	at := uint64(headerSize + len(names))
	for _, b := range s.blocks[1:] {
		index = append(index, words(uint32(at), uint32(len(b)))...)
		at += uint64(len(b))
	}
	index = append(index, words(0, 0, 0, 0, 0)...) // no free places, and two empty ones that other writers leave
	if at+uint64(len(index)) > 1<<32-1 {
		return fmt.Errorf("%w: too large", ErrFormat)
	}
	head := make([]byte, headerSize)
	copy(head, magic)
	copy(head[8:], words(1, uint32(len(s.blocks)-1), uint32(at), uint32(len(index)), headerSize, uint32(len(names))))
	for _, b := range append([][]byte{head, names}, append(s.blocks[1:], index)...) {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}
