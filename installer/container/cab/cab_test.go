package cab_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/container/cab"
)

var when = time.Date(2025, 3, 4, 5, 6, 8, 0, time.UTC)

func file(name string, data []byte) cab.File {
	return cab.File{Name: name, Size: int64(len(data)), Modified: when, From: bytes.NewReader(data)}
}

func write(t testing.TB, files ...cab.File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := cab.Write(&b, files); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func noise(n int) []byte {
	r := rand.New(rand.NewPCG(uint64(n), 0))
	b := make([]byte, 0, n+8)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b[:n]
}

// text can be compressed, also across blocks.
func text(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "line %d of many, %x\n", i%5000, i*i%977)
	}
	return b.Bytes()[:n]
}

func same(t *testing.T, b []byte, want map[string][]byte) {
	t.Helper()
	got, err := cab.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Errorf("%d files, %d expected", len(got), len(want))
	}
	for _, e := range got {
		if data, ok := want[e.Name]; !ok || !bytes.Equal(e.Data, data) || !e.Modified.Equal(when) {
			t.Errorf("%q of %v: %d bytes, %d expected", e.Name, e.Modified, len(e.Data), len(data))
		}
	}
}

func TestFilesOfAnySizeAreReadBack(t *testing.T) {
	want := map[string][]byte{}
	build := func() (files []cab.File) {
		for i, n := range []int{0, 1, 2, 3, 32767, 32768, 32769, 0, 65536, 100000} {
			for kind, data := range map[string][]byte{"t": text(n), "n": noise(n)} {
				want[fmt.Sprintf("%s%d", kind, i)] = data
			}
			files = append(files, file(fmt.Sprintf("t%d", i), text(n)), file(fmt.Sprintf("n%d", i), noise(n)))
		}
		return files
	}
	b := write(t, build()...)
	same(t, b, want)
	if !bytes.Equal(b, write(t, build()...)) {
		t.Error("the same files give other bytes")
	}
}

// A block may look back into the one before it: the second copy of 30 KiB costs next to nothing.
func TestABlockRefersToTheOneBefore(t *testing.T) {
	data := noise(30 << 10)
	b := write(t, file("a", data), file("b", data))
	same(t, b, map[string][]byte{"a": data, "b": data})
	if len(b) > 34<<10 {
		t.Errorf("%d bytes: the window does not reach into the block before", len(b))
	}
}

// Blocks that do not shrink fit into the room that readers have.
func TestBlocksThatDoNotShrinkFitTheLimit(t *testing.T) {
	b := write(t, file("n", noise(1<<20)))
	le := binary.LittleEndian
	at := int(le.Uint32(b[36:]))
	for range int(le.Uint16(b[40:])) {
		n := int(le.Uint16(b[at+4:]))
		if n > 32768+12 {
			t.Fatalf("a block of %d bytes", n)
		}
		at += 8 + n
	}
	if at != len(b) {
		t.Errorf("blocks end at %d of %d", at, len(b))
	}
}

func TestOddNamesAreReadBack(t *testing.T) {
	want := map[string][]byte{}
	var files []cab.File
	for i, name := range []string{"a", "A", " ", "ä.txt", "日本.exe", `dir\file`, strings.Repeat("n", 255), "😀"} {
		want[name] = text(i * 1000)
		files = append(files, file(name, want[name]))
	}
	b := write(t, files...)
	same(t, b, want)
	if at := bytes.Index(b, []byte("ä.txt")); b[at-2] != 0xA0 {
		t.Errorf("attributes %x of a name in UTF-8", b[at-2])
	}
	if at := bytes.Index(b, []byte("a\x00")); b[at-2] != 0x20 {
		t.Errorf("attributes %x of a plain name", b[at-2])
	}
}

func TestTenThousandFilesAreReadBack(t *testing.T) {
	want := map[string][]byte{}
	var files []cab.File
	for i := range 10000 {
		name := fmt.Sprintf("f%05d", i)
		want[name] = text(i % 90)
		files = append(files, file(name, want[name]))
	}
	same(t, write(t, files...), want)
}

func TestTimesAreCutToWhatACabinetCanHold(t *testing.T) {
	for in, want := range map[time.Time]time.Time{
		time.Unix(0, 0): time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC):     time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC),
		time.Date(2024, 2, 29, 23, 59, 59, 5, time.UTC): time.Date(2024, 2, 29, 23, 59, 58, 0, time.UTC),
	} {
		f := file("a", nil)
		f.Modified = in
		if got, err := cab.Read(write(t, f)); err != nil || !got[0].Modified.Equal(want) {
			t.Errorf("%v: %v, %v", in, got, err)
		}
	}
}

func TestWhatACabinetCannotHoldIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		files []cab.File
		want  error
	}{
		"none":      {nil, cab.ErrSize},
		"too many":  {make([]cab.File, 65536), cab.ErrSize},
		"no name":   {[]cab.File{file("", nil)}, cab.ErrName},
		"long name": {[]cab.File{file(strings.Repeat("x", 256), nil)}, cab.ErrName},
		"zero byte": {[]cab.File{file("a\x00b", nil)}, cab.ErrName},
		"too large": {[]cab.File{{Name: "x", Size: 1 << 31}}, cab.ErrSize},
		"short":     {[]cab.File{{Name: "x", Size: 10, From: strings.NewReader("123")}}, io.ErrUnexpectedEOF},
	} {
		if err := cab.Write(io.Discard, c.files); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A flipped bit is noticed.
func TestAFlippedBitIsNoticed(t *testing.T) {
	b := write(t, file("a", text(100000)))
	for _, at := range []int{0, 8, 26, 36, 60, len(b) / 2, len(b) - 1} {
		bad := bytes.Clone(b)
		bad[at] ^= 0x10
		if got, err := cab.Read(bad); err == nil && bytes.Equal(got[0].Data, text(100000)) && at > 100 {
			t.Errorf("a flipped bit at %d is not noticed", at)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(write(f, file("a", text(50000)), file("b", nil), file("c", noise(100))))
	f.Add(write(f, file("a", nil)))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := cab.Read(b)
		if err != nil && !errors.Is(err, cab.ErrFormat) {
			t.Error(err)
		}
		for _, e := range list {
			_ = e.Name
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	data := text(8 << 20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := cab.Write(io.Discard, []cab.File{file("a", data)}); err != nil {
			b.Fatal(err)
		}
	}
}
