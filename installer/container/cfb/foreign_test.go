package cfb_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/container/cfb"
)

// What is damaged in a way that a reader of single streams may not notice is refused as a whole.
func TestADamagedStructureIsRefused(t *testing.T) {
	sound := write(t, cfb.Bytes("Big", bytes.Repeat([]byte("0123456789"), 1000)), cfb.Bytes("Bigger", bytes.Repeat([]byte("ab"), 9000)),
		cfb.Bytes("small", []byte("x")))
	if slack := check(t, sound); slack != (cfb.Slack{}) {
		t.Errorf("a file of our own has slack: %+v", slack)
	}
	le := binary.LittleEndian
	directory := (1 + int(le.Uint32(sound[48:]))) * 512
	fat := (1 + int(le.Uint32(sound[76:]))) * 512
	for name, damage := range map[string]func(b []byte){
		"a chain in a circle":           func(b []byte) { at := le.Uint32(b[directory+128+116:]); le.PutUint32(b[fat+4*int(at):], at) },
		"two streams in one place":      func(b []byte) { copy(b[directory+2*128+116:][:4], b[directory+128+116:][:4]) },
		"a directory in a circle":       func(b []byte) { le.PutUint32(b[directory+128+68:], 1) },
		"a stream that no folder holds": func(b []byte) { le.PutUint32(b[directory+76:], 0xFFFFFFFF) },
		"a stream larger than the file": func(b []byte) { le.PutUint32(b[directory+128+120:], 1<<30) },
		"more tables than sectors":      func(b []byte) { le.PutUint32(b[44:], 1<<20) },
		"fewer tables than it names":    func(b []byte) { le.PutUint32(b[44:], 0) },
		"a table marked as free":        func(b []byte) { le.PutUint32(b[fat:], 0xFFFFFFFF) },
		"names out of order":            func(b []byte) { b[directory+128+64] = 14 },
	} {
		b := bytes.Clone(sound)
		damage(b)
		f, err := cfb.Open(bytes.NewReader(b), int64(len(b)))
		if err == nil {
			_, err = f.Check()
		}
		if !errors.Is(err, cfb.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Bytes behind the container belong to nothing, and are counted.
func TestSlackIsCounted(t *testing.T) {
	sound := write(t, cfb.Bytes("one", []byte("x")), cfb.Bytes("Big", bytes.Repeat([]byte("0123456789"), 1000)))
	if got, want := check(t, append(bytes.Clone(sound), strings.Repeat("jar", 500)...)), (cfb.Slack{Bytes: 1500, Written: 1500,
		Behind: 1500}); got != want {
		t.Errorf("behind the container: %+v, not %+v", got, want)
	}
	if got, want := check(t, append(bytes.Clone(sound), make([]byte, 700)...)), (cfb.Slack{Bytes: 700}); got != want {
		t.Errorf("zeroes behind it: %+v, not %+v", got, want)
	}
	directory := (1 + int(binary.LittleEndian.Uint32(sound[48:]))) * 512
	for name, at := range map[string]int{"class in the header": 8, "reserved field": 34, "transaction": 52, "minor version": 24,
		"behind a name": directory + 128 + 60, "time of a stream": directory + 128 + 108, "free entry": directory + 3*128 + 5,
		"behind a small stream": bytes.Index(sound, []byte("x\x00\x00\x00")) + 1, "behind a large stream": len(sound) - 1,
		"free place of the FAT": 1024 - 4} {
		b := bytes.Clone(sound)
		b[at] ^= 0x40
		if got := check(t, b); got.Written == 0 || got.Behind != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// wide is a file of version 4 as other writers make them: sectors of 4096 bytes, a storage with a stream in it.
func wide(content []byte) []byte {
	const unit = 4096
	le := binary.LittleEndian
	b := make([]byte, unit*(3+(len(content)+unit-1)/unit))
	copy(b, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	le.PutUint16(b[24:], 0x3E)
	le.PutUint16(b[26:], 4)
	le.PutUint16(b[28:], 0xFFFE)
	le.PutUint16(b[30:], 12)
	le.PutUint16(b[32:], 6)
	for at, v := range map[int]uint32{40: 1, 44: 1, 48: 1, 56: 4096, 60: 0xFFFFFFFE, 64: 0, 68: 0xFFFFFFFE, 72: 0, 76: 0} {
		le.PutUint32(b[at:], v)
	}
	for at := 80; at < 512; at += 4 {
		le.PutUint32(b[at:], 0xFFFFFFFF)
	}
	fat := b[unit:]
	for i := range unit / 4 {
		le.PutUint32(fat[4*i:], 0xFFFFFFFF)
	}
	le.PutUint32(fat, 0xFFFFFFFD)
	le.PutUint32(fat[4:], 0xFFFFFFFE)
	last := 2 + (len(content)-1)/unit
	for i := 2; i < last; i++ {
		le.PutUint32(fat[4*i:], uint32(i+1))
	}
	le.PutUint32(fat[4*last:], 0xFFFFFFFE)
	entry := func(n int, name string, kind byte, child, start uint32, size int) {
		e := b[2*unit+128*n:]
		for i, r := range name {
			le.PutUint16(e[2*i:], uint16(r))
		}
		le.PutUint16(e[64:], uint16(2*len(name)+2))
		e[66], e[67] = kind, 1
		for at, v := range map[int]uint32{68: 0xFFFFFFFF, 72: 0xFFFFFFFF, 76: child, 116: start, 120: uint32(size)} {
			le.PutUint32(e[at:], v)
		}
	}
	entry(0, "Root Entry", 5, 1, 0xFFFFFFFE, 0)
	entry(1, "Folder", 1, 2, 0, 0)
	entry(2, "File", 2, 0xFFFFFFFF, 2, len(content))
	copy(b[3*unit:], content)
	return b
}

func TestWiderSectorsAndStoragesAreRead(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 1500)
	b := wide(content)
	f, err := cfb.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Stream("Folder/File")
	if err != nil || !bytes.Equal(got, content) || strings.Join(f.Names, " ") != "Folder/File" {
		t.Errorf("%d bytes, %v, %v", len(got), f.Names, err)
	}
	if slack := check(t, b); slack.Bytes != 0 {
		t.Errorf("slack: %+v", slack)
	}
}

func check(t *testing.T, b []byte) cfb.Slack {
	t.Helper()
	f, err := cfb.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	slack, err := f.Check()
	if err != nil {
		t.Fatal(err)
	}
	return slack
}
