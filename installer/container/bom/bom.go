// Package bom writes and reads an Apple bill of materials: the list of everything a macOS package installs, with mode, owner,
// size and checksum of each entry. The installer keeps it as the package's receipt.
//
// The container ("BOMStore", big-endian throughout) is a set of numbered blocks and of named ones among them:
//
//	header    "BOMStore", version 1, number of blocks, place and length of the index and of the names; 512 bytes
//	names     BomInfo, Paths, HLIndex, VIndex, Size64 → block number
//	blocks    the data
//	index     place and length of every block, block 0 empty; then a list of free places, here none
//
// Paths is a tree with the paths as leaves, ordered by their parent's number and then by name, in nodes of 4096 bytes that are
// chained in both directions; with more than one leaf a level of nodes above names each by its last key. A path is three blocks:
// its parent's number and name (the key), its own number, and the facts. HLIndex (hard links), VIndex (views) and Size64 (sizes
// above 4 GiB) are trees too, and empty: there are no hard links here, and larger files are refused.
//
// The facts about this undocumented format were taken from a bill that Apple's own tool wrote, and from what is publicly known
// of it. Nothing here was read by Apple's tools: structure checked.
package bom

import (
	"errors"
	"io/fs"
	"time"
)

// ErrFormat says that a bill cannot be read, or that an entry cannot be expressed.
var ErrFormat = errors.New("bill of materials")

// Entry is one path of a package.
type Entry struct {
	Path     string      // "." or ./opt/aws; every parent must be an entry too
	Mode     fs.FileMode // type and permission bits
	UID, GID uint32
	Time     time.Time // whole seconds
	Size     int64     // bytes; of a link the length of its target; of a folder 0
	Sum      uint32    // POSIX cksum of the content, of a link of its target; see [Sum]
	Link     string    // target of a symbolic link
}

// Kinds of a path.
const (
	kindFile   = 1
	kindFolder = 2
	kindLink   = 3
)

const (
	magic      = "BOMStore"
	headerSize = 512
	nodeSize   = 4096
	nodeHead   = 12
	perNode    = 256 // a node has room for 510; 256 is what other writers have proved
)

// node is a node of a tree: what its rows point at, and their keys.
type node struct {
	leaf              bool
	forward, backward uint32
	rows              []row
}

type row struct{ value, key uint32 }
