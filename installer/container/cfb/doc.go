// Package cfb writes and reads compound files (MS-CFB, version 3): the container of an .msi, a small file system in one file.
//
// A file is a run of sectors of 512 bytes. What is written here always lies in this order, so that everything that describes
// the file comes before what it describes, and the same streams give the same bytes:
//
//	header      with the first 109 places of the FAT
//	DIFAT       the other places of the FAT
//	FAT         the chain of every sector
//	directory   four entries a sector: the root, then the streams in their order
//	mini FAT    the chain of every mini sector
//	mini stream streams below 4096 bytes, in mini sectors of 64 bytes
//	streams     all others, each in one run
//
// The directory is a red-black tree, ordered by the length of the names in UTF-16 and then by their upper case: readers find
// an entry by walking it. A tree as flat as can be, all black but its deepest row, satisfies every rule of it.
//
// Only what an installer needs is written: streams below one root, no storages, no times. A stream has at most 2 GiB (version 3),
// a name at most 31 units of UTF-16. What is read may also have storages and sectors of 4096 bytes (version 4), as other writers
// make them: [Open] and [File.Check] refuse a file that goes in circles or claims to be larger than it is, before a library that
// trusts what it reads is given it. Check also counts the bytes that no stream holds, see [Slack].
package cfb

import "errors"

// Limits of the format.
const (
	MaxName   = 31         // units of UTF-16
	MaxStream = 0x80000000 // bytes, version 3
)

// What can be wrong with what shall be written.
var (
	ErrName = errors.New("not a name of a stream")
	ErrSize = errors.New("too large for a compound file")
)

// ErrFormat says that what is read is not a compound file, or a damaged one.
var ErrFormat = errors.New("not a sound compound file")

const (
	sector       = 512 // of version 3
	miniSector   = 64
	rootName     = "Root Entry"
	miniCutoff   = 4096
	entrySize    = 128
	perSector    = sector / 4 // chain entries in a sector
	headerDIFAT  = 109        // places of the FAT in the header
	freeSector   = 0xFFFFFFFF
	endOfChain   = 0xFFFFFFFE
	fatSector    = 0xFFFFFFFD
	difatSector  = 0xFFFFFFFC
	noEntry      = 0xFFFFFFFF
	maxRegular   = 0xFFFFFFFA
	typeStorage  = 1
	typeStream   = 2
	typeRoot     = 5
	red          = 0
	black        = 1
	majorVersion = 3
	minorVersion = 0x3E
	widerVersion = 4
	widerSector  = 4096
	headerSize   = 512
)

var magic = [8]byte{0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1}
