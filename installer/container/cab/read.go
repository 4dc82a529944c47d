package cab

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// Entry is one file of a cabinet that was read.
type Entry struct {
	Name     string
	Modified time.Time
	Data     []byte
}

// Read reads a whole cabinet: one that is not split, with MSZIP and no reserved areas, as [Write] makes them. All checksums
// are looked at.
//
// The tests of this room, installer/pack and installer/build read. `ssm-setup verify` is to look at the structure of a
// package with it, too; today it looks at the signature alone.
func Read(b []byte) ([]Entry, error) {
	le := binary.LittleEndian
	if len(b) < headerSize || !bytes.HasPrefix(b, []byte("MSCF")) || le.Uint16(b[24:]) != version || le.Uint16(b[30:]) != 0 ||
		int64(le.Uint32(b[8:])) != int64(len(b)) {
		return nil, fmt.Errorf("%w: header", ErrFormat)
	}
	nFolders, nFiles := int(le.Uint16(b[26:])), int(le.Uint16(b[28:]))
	if len(b) < headerSize+nFolders*folderSize {
		return nil, fmt.Errorf("%w: folders", ErrFormat)
	}
	folders := make([][]byte, nFolders)
	for i := range folders {
		row := b[headerSize+i*folderSize:]
		if le.Uint16(row[6:]) != methodMSZIP {
			return nil, fmt.Errorf("%w: method %d", ErrFormat, le.Uint16(row[6:]))
		}
		data, err := readFolder(b, int64(le.Uint32(row)), int(le.Uint16(row[4:])))
		if err != nil {
			return nil, err
		}
		folders[i] = data
	}
	return readFiles(b, int64(le.Uint32(b[16:])), nFiles, folders)
}

func readFolder(b []byte, at int64, blocks int) ([]byte, error) {
	le := binary.LittleEndian
	var out, history []byte
	for i := range blocks {
		if at+dataSize > int64(len(b)) {
			return nil, fmt.Errorf("%w: block %d lies outside", ErrFormat, i)
		}
		h := b[at : at+dataSize]
		packed, size := int64(le.Uint16(h[4:])), int(le.Uint16(h[6:]))
		at += dataSize
		if at+packed > int64(len(b)) {
			return nil, fmt.Errorf("%w: block %d lies outside", ErrFormat, i)
		}
		body := b[at : at+packed]
		at += packed
		if sum := checksum(h[4:], checksum(body, 0)); sum != le.Uint32(h) {
			return nil, fmt.Errorf("%w: checksum of block %d", ErrFormat, i)
		}
		data, err := expand(body, history, size)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", i, err)
		}
		out, history = append(out, data...), data
	}
	return out, nil
}

func readFiles(b []byte, at int64, n int, folders [][]byte) ([]Entry, error) {
	le := binary.LittleEndian
	var list []Entry
	for i := range n {
		if at+fileSize > int64(len(b)) {
			return nil, fmt.Errorf("%w: file %d", ErrFormat, i)
		}
		row := b[at:]
		end := bytes.IndexByte(row[fileSize:], 0)
		size, offset, folder := int64(le.Uint32(row)), int64(le.Uint32(row[4:])), int(le.Uint16(row[8:]))
		if end < 0 || folder >= len(folders) || offset+size > int64(len(folders[folder])) {
			return nil, fmt.Errorf("%w: file %d", ErrFormat, i)
		}
		list = append(list, Entry{string(row[fileSize : fileSize+end]), goTime(le.Uint16(row[10:]), le.Uint16(row[12:])),
			folders[folder][offset : offset+size]})
		at += fileSize + int64(end) + 1
	}
	return list, nil
}

func goTime(date, clock uint16) time.Time {
	return time.Date(int(date>>9)+1980, time.Month(date>>5&15), int(date&31), int(clock>>11), int(clock>>5&63), int(clock&31)*2, 0, time.UTC)
}
