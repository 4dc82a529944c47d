package cab

import (
	"encoding/binary"
	"errors"
	"testing"
)

// More than a folder can hold begins another one: 2 GiB less 32 KiB. Only what stands in front is made.
func TestAFullFolderIsFollowedByAnother(t *testing.T) {
	const most = maxBlocks * block
	files := []File{{Name: "full", Size: most}, {Name: "empty"}, {Name: "next", Size: 1}}
	folders, err := arrange(files)
	if err != nil || len(folders) != 2 || len(folders[0].files) != 2 {
		t.Fatalf("%d folders, %v", len(folders), err)
	}
	folders[0].blocks, folders[1].blocks = make([][]byte, maxBlocks), [][]byte{make([]byte, 10)}
	b, err := index(files, folders)
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	if le.Uint16(b[26:]) != 2 || le.Uint16(b[40:]) != maxBlocks || le.Uint16(b[48:]) != 1 || folders[0].blockSize(maxBlocks-1) != block {
		t.Errorf("%d folders of %d and %d blocks", le.Uint16(b[26:]), le.Uint16(b[40:]), le.Uint16(b[48:]))
	}
	if first, second := le.Uint32(b[36:]), le.Uint32(b[44:]); int(first) != len(b) || second-first != maxBlocks*dataSize {
		t.Errorf("data at %d and %d, the head has %d bytes", first, second, len(b))
	}
	row := b[le.Uint32(b[16:]):]
	if le.Uint32(row) != most {
		t.Errorf("size %d", le.Uint32(row))
	}
	if next := row[fileSize+5+fileSize+6:]; le.Uint32(next) != 1 || le.Uint32(next[4:]) != 0 || le.Uint16(next[8:]) != 1 {
		t.Errorf("the last file: % x", next[:fileSize])
	}
	full := make([]byte, maxBlock)
	for i := range folders[0].blocks {
		folders[0].blocks[i] = full
	}
	if _, err := index(files, folders); !errors.Is(err, ErrSize) {
		t.Errorf("more than 2 GiB: %v", err)
	}
}
