// Package cab writes and reads cabinets (MS-CAB) compressed with MSZIP: where the files of an .msi lie.
//
// A cabinet is a header, the folders, the files, then the blocks of data of each folder. A folder is one stream, the files one
// after the other, cut into blocks of 32 KiB; a block is "CK" and one complete deflate stream, whose window begins with what
// the block before it held. So each block can be made by itself once the bytes before it are known: blocks are compressed on
// all processors and still come out the same on every machine.
//
// A block that does not shrink is one stored piece, five bytes longer than its data, which keeps it below the 32780 bytes
// that readers have room for.
//
// One cabinet holds at most 65535 files and 2 GiB; it is never split over several media. A folder holds 65535 blocks at most,
// so a new one begins behind a file that would not fit.
package cab

import (
	"errors"
	"io"
	"time"
)

// File is one file of a cabinet.
type File struct {
	Name     string // as in the cabinet, at most 255 bytes
	Size     int64
	Modified time.Time // to two seconds, 1980 to 2107, UTC
	From     io.Reader // read once, to Size
}

// What can be wrong with what shall be written.
var (
	ErrName = errors.New("not a name for a cabinet")
	ErrSize = errors.New("too large for a cabinet")
)

// ErrFormat says that what is read is not a cabinet, or a damaged one.
var ErrFormat = errors.New("not a sound cabinet")

const (
	block        = 32768 // uncompressed bytes of a block
	maxBlock     = block + 12
	maxBlocks    = 65535 // of a folder
	maxFiles     = 65535
	maxSize      = 0x7FFFFFFF
	headerSize   = 36
	folderSize   = 8
	fileSize     = 16 // without the name
	dataSize     = 8
	version      = 0x0103
	methodMSZIP  = 1
	attrArchive  = 0x20
	attrUTF      = 0x80 // the name is UTF-8
	maxNameBytes = 255
)
