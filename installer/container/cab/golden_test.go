package cab_test

import (
	"encoding/hex"
	"testing"
)

// A cabinet byte by byte: header, folder, files, one block.
func TestTheBytesOfACabinetNeverChange(t *testing.T) {
	want := "4d534346" + "00000000" + "64000000" + "00000000" + // MSCF, size
		"2c000000" + "00000000" + "0301" + "0100" + "0200" + "0000" + "0000" + "0000" + // first file, version, one folder, two files
		"54000000" + "0100" + "0100" + // the folder: its data, one block, MSZIP
		"03000000" + "00000000" + "0000" + "645a" + "c428" + "2000" + "6100" + // a: size, place, folder, time, archive
		"00000000" + "03000000" + "0000" + "645a" + "c428" + "2000" + "656d70747900" + // empty
		"294d6d64" + "0800" + "0300" + "434b" + "626462060c00" // checksum, sizes, CK, deflate
	if got := hex.EncodeToString(write(t, file("a", []byte{1, 2, 3}), file("empty", nil))); got != want {
		t.Errorf("got %s", got)
	}
}
