package yum

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrRPM says that something is no rpm package.
var ErrRPM = errors.New("not an rpm package")

// maxHeader bounds one header, in bytes.
const maxHeader = 8 << 20

// Tags of the headers, by the numbers of rpm's format.
const (
	tagName, tagVersion, tagRelease, tagEpoch, tagSummary         = 1000, 1001, 1002, 1003, 1004
	tagDescription, tagBuildTime, tagBuildHost, tagSize           = 1005, 1006, 1007, 1009
	tagVendor, tagLicense, tagPackager, tagGroup, tagURL          = 1011, 1014, 1015, 1016, 1020
	tagArch, tagFileModes, tagFileFlags, tagSourceRPM             = 1022, 1030, 1037, 1044
	tagProvideName, tagProvideFlags, tagProvideVersion            = 1047, 1112, 1113
	tagRequireName, tagRequireFlags, tagRequireVersion            = 1049, 1048, 1050
	tagConflictName, tagConflictFlags, tagConflictVersion         = 1054, 1053, 1055
	tagObsoleteName, tagObsoleteFlags, tagObsoleteVersion         = 1090, 1114, 1115
	tagChangeTime, tagChangeName, tagChangeText                   = 1080, 1081, 1082
	tagDirIndexes, tagBaseNames, tagDirNames                      = 1116, 1117, 1118
	sigPayloadSize                                                = 1007
	typeInt16, typeInt32, typeString, typeStrings, typeI18n       = 3, 4, 6, 8, 9
	leadSize, introSize, indexEntrySize, headerAlignment    int64 = 96, 16, 16, 8
)

// header is one header structure: what each tag says.
type header struct {
	numbers map[int][]uint32
	texts   map[int][]string
	size    int64 // in the file
	kept    int64 // bytes of what was taken: tags may overlap, and must not multiply
}

// headers reads the signature header and the main one, and where the main one lies.
func headers(rpm io.Reader) (signature, main header, start, end int64, err error) {
	lead := make([]byte, leadSize)
	if _, err = io.ReadFull(rpm, lead); err != nil || !bytes.HasPrefix(lead, []byte{0xed, 0xab, 0xee, 0xdb}) {
		return signature, main, 0, 0, fmt.Errorf("%w: no lead", ErrRPM)
	}
	if signature, err = readHeader(rpm); err != nil {
		return
	}
	pad := (headerAlignment - signature.size%headerAlignment) % headerAlignment
	if _, err = io.CopyN(io.Discard, rpm, pad); err != nil {
		return signature, main, 0, 0, fmt.Errorf("%w: %w", ErrRPM, err)
	}
	start = leadSize + signature.size + pad
	main, err = readHeader(rpm)
	return signature, main, start, start + main.size, err
}

func readHeader(r io.Reader) (header, error) {
	h := header{numbers: map[int][]uint32{}, texts: map[int][]string{}}
	intro := make([]byte, introSize)
	if _, err := io.ReadFull(r, intro); err != nil || !bytes.HasPrefix(intro, []byte{0x8e, 0xad, 0xe8, 1}) {
		return h, fmt.Errorf("%w: no header", ErrRPM)
	}
	entries, size := int64(binary.BigEndian.Uint32(intro[8:])), int64(binary.BigEndian.Uint32(intro[12:]))
	if entries*indexEntrySize+size > maxHeader {
		return h, fmt.Errorf("%w: a header of %d bytes", ErrRPM, entries*indexEntrySize+size)
	}
	body := make([]byte, entries*indexEntrySize+size)
	if _, err := io.ReadFull(r, body); err != nil {
		return h, fmt.Errorf("%w: %w", ErrRPM, err)
	}
	index, store := body[:entries*indexEntrySize], body[entries*indexEntrySize:]
	for ; len(index) > 0; index = index[indexEntrySize:] {
		if err := h.readEntry(index, store); err != nil {
			return h, err
		}
	}
	h.size = introSize + int64(len(body))
	return h, nil
}

// readEntry reads one entry of the index.
func (h *header) readEntry(entry, store []byte) error {
	tag, kind := int(binary.BigEndian.Uint32(entry)), binary.BigEndian.Uint32(entry[4:])
	offset, count := int64(binary.BigEndian.Uint32(entry[8:])), int64(binary.BigEndian.Uint32(entry[12:]))
	if offset > int64(len(store)) {
		return fmt.Errorf("%w: tag %d lies outside the header", ErrRPM, tag)
	}
	rest := store[offset:]
	switch kind {
	case typeInt16, typeInt32:
		width := int64(2 * (kind - 2))
		if h.kept += count * width; count*width > int64(len(rest)) || h.kept > maxHeader {
			return fmt.Errorf("%w: tag %d lies outside the header", ErrRPM, tag)
		}
		for i := range count {
			if kind == typeInt16 {
				h.numbers[tag] = append(h.numbers[tag], uint32(binary.BigEndian.Uint16(rest[i*2:])))
			} else {
				h.numbers[tag] = append(h.numbers[tag], binary.BigEndian.Uint32(rest[i*4:]))
			}
		}
	case typeString, typeStrings, typeI18n:
		for range count {
			text, after, ok := bytes.Cut(rest, []byte{0})
			if h.kept += int64(len(text)) + 1; !ok || h.kept > maxHeader {
				return fmt.Errorf("%w: tag %d lies outside the header", ErrRPM, tag)
			}
			h.texts[tag] = append(h.texts[tag], string(text))
			rest = after
		}
	}
	return nil
}

func (h header) text(tag int) string {
	if list := h.texts[tag]; len(list) > 0 {
		return list[0]
	}
	return ""
}

func (h header) number(tag int) uint32 {
	if list := h.numbers[tag]; len(list) > 0 {
		return list[0]
	}
	return 0
}

// at is the i-th number of a tag, 0 where there are fewer.
func (h header) at(tag, i int) uint32 {
	if list := h.numbers[tag]; i < len(list) {
		return list[i]
	}
	return 0
}

func (h header) textAt(tag, i int) string {
	if list := h.texts[tag]; i < len(list) {
		return list[i]
	}
	return ""
}
