package cfb_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/richardlehane/mscfb"

	"github.com/ssm-setup/ssm-setup/installer/container/cfb"
)

var class = [16]byte{1, 2, 3, 15: 16}

func write(t testing.TB, streams ...cfb.Stream) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := cfb.Write(&b, class, streams); err != nil {
		t.Fatal(err)
	}
	if b.Len()%512 != 0 {
		t.Errorf("%d bytes are no whole sectors", b.Len())
	}
	return b.Bytes()
}

// same reads a file back, with our reader and with another one.
func same(t *testing.T, b []byte, want map[string][]byte) {
	t.Helper()
	f, err := cfb.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Names) != len(want) || f.Class != class {
		t.Errorf("%d streams, %d expected; class %x", len(f.Names), len(want), f.Class)
	}
	for name, data := range want {
		got, err := f.Stream(name)
		if err != nil || !bytes.Equal(got, data) || f.Size(name) != int64(len(data)) {
			t.Errorf("%q: %d bytes, %d expected, %v", name, len(got), len(data), err)
		}
	}
	other, err := mscfb.New(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for e, err := other.Next(); !errors.Is(err, io.EOF); e, err = other.Next() {
		if err != nil {
			t.Fatal(err)
		}
		data, ok := want[e.Name]
		if e.Initial < 0x20 { // mscfb cuts a control character off the front
			data, ok = want[string(rune(e.Initial))+e.Name]
		}
		got := make([]byte, e.Size)
		if e.Size > 0 {
			if _, err := io.ReadFull(other, got); err != nil {
				t.Fatalf("%q: %v", e.Name, err)
			}
		}
		if !ok || !bytes.Equal(got, data) {
			t.Errorf("mscfb: %q has %d bytes, %d expected", e.Name, len(got), len(data))
		}
		seen++
	}
	if seen != len(want) {
		t.Errorf("mscfb sees %d streams of %d", seen, len(want))
	}
	checkTree(t, b)
}

func noise(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, 0, n+8)
	for len(b) < n {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b[:n]
}

// Sizes around every border of the format.
func TestStreamsOfAnySizeAreReadBack(t *testing.T) {
	want := map[string][]byte{}
	var streams []cfb.Stream
	for i, n := range []int{0, 1, 63, 64, 65, 511, 512, 513, 4095, 4096, 4097, 65536, 0, 300000} {
		name := fmt.Sprintf("s%d", i)
		want[name] = noise(uint64(i), n)
		streams = append(streams, cfb.Bytes(name, want[name]))
	}
	b := write(t, streams...)
	same(t, b, want)
	for i := range streams {
		streams[i] = cfb.Bytes(streams[i].Name, want[streams[i].Name])
	}
	if !bytes.Equal(b, write(t, streams...)) {
		t.Error("the same streams give other bytes")
	}
}

func TestAFileWithoutStreamsIsReadBack(t *testing.T) { same(t, write(t), map[string][]byte{}) }

func TestOddNamesAreReadBack(t *testing.T) {
	want := map[string][]byte{}
	var streams []cfb.Stream
	for i, name := range []string{"a", "B", "aa", "Ab", " ", ".", "é", "ß", "Ÿ", "ı", "\u4840\u3f7f\u4164", "\x05SummaryInformation",
		strings.Repeat("x", 31), strings.Repeat("y", 31), "\uFFFD", "ﬀ", "Σ"} {
		want[name] = noise(uint64(i), i*700)
		streams = append(streams, cfb.Bytes(name, want[name]))
	}
	same(t, write(t, streams...), want)
}

// A name outside the first plane; mscfb takes its halves for two letters.
func TestANameOutsideTheFirstPlaneIsFound(t *testing.T) {
	b := write(t, cfb.Bytes("😀", []byte("x")))
	f, err := cfb.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil || f.Size("😀") != 1 {
		t.Error(err)
	}
}

func TestTenThousandStreamsAreReadBack(t *testing.T) {
	want := map[string][]byte{}
	var streams []cfb.Stream
	for i := range 10000 {
		name := fmt.Sprintf("f%d", i)
		want[name] = noise(uint64(i), i%150)
		streams = append(streams, cfb.Bytes(name, want[name]))
	}
	same(t, write(t, streams...), want)
}

// The FAT of 8 MiB no longer fits into the header.
func TestAFATLargerThanTheHeaderIsReadBack(t *testing.T) {
	for _, n := range []int{109 * 128 * 512, 20 << 20} {
		want := map[string][]byte{"cab": noise(1, n), "small": []byte("x")}
		same(t, write(t, cfb.Bytes("cab", want["cab"]), cfb.Bytes("small", want["small"])), want)
	}
}

var errEnough = errors.New("enough")

// head takes the first bytes and then refuses.
type head struct {
	b    bytes.Buffer
	room int
}

func (h *head) Write(p []byte) (int, error) {
	if h.b.Len() > h.room {
		return 0, errEnough
	}
	return h.b.Write(p)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Two GiB: everything that tells of it lies in front, so the data need not be written to look.
func TestAStreamOfTwoGiBIsDescribed(t *testing.T) {
	h := &head{room: 40 << 20}
	err := cfb.Write(h, class, []cfb.Stream{{Name: "big", Size: cfb.MaxStream, From: zeros{}}})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	const data = cfb.MaxStream / 512
	b := h.b.Bytes()
	le := binary.LittleEndian
	nFAT, nDIFAT := int(le.Uint32(b[44:])), int(le.Uint32(b[72:]))
	if total := data + 1 + nFAT + nDIFAT; nFAT != (total+127)/128 || nDIFAT != (nFAT-109+126)/127 {
		t.Errorf("FAT of %d sectors, DIFAT of %d", nFAT, nDIFAT)
	}
	directory := (int(le.Uint32(b[48:])) + 1) * 512
	e := b[directory+128:]
	if got := le.Uint64(e[120:]); got != cfb.MaxStream {
		t.Errorf("size %d in the directory", got)
	}
	f, err := cfb.Open(bytes.NewReader(b), int64(nFAT+nDIFAT+2+data)*512)
	if err != nil || f.Size("big") != 0x80000000 {
		t.Errorf("%d, %v", f.Size("big"), err)
	}
}

func TestWhatTheFormatCannotHoldIsRefused(t *testing.T) {
	for name, list := range map[string][]cfb.Stream{
		"empty":     {cfb.Bytes("", nil)},
		"long":      {cfb.Bytes(strings.Repeat("x", 32), nil)},
		"surrogate": {cfb.Bytes(strings.Repeat("😀", 16), nil)},
		"slash":     {cfb.Bytes("a/b", nil)},
		"bang":      {cfb.Bytes("a!", nil)},
		"encoding":  {cfb.Bytes("a\xff", nil)},
		"twice":     {cfb.Bytes("Name", nil), cfb.Bytes("nAME", nil)},
	} {
		if err := cfb.Write(io.Discard, class, list); !errors.Is(err, cfb.ErrName) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := cfb.Write(io.Discard, class, []cfb.Stream{{Name: "x", Size: cfb.MaxStream + 1}}); !errors.Is(err, cfb.ErrSize) {
		t.Errorf("too large: %v", err)
	}
	short := []cfb.Stream{{Name: "x", Size: 10, From: strings.NewReader("12345")}}
	if err := cfb.Write(io.Discard, class, short); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("too short: %v", err)
	}
}

// checkTree walks the directory by its rules: order, no red above red, the same number of black ones on every way.
func checkTree(t *testing.T, b []byte) {
	t.Helper()
	le := binary.LittleEndian
	at := (int(le.Uint32(b[48:])) + 1) * 512 // the directory is one run
	entry := func(i uint32) []byte { return b[at+int(i)*128:] }
	count := 0
	var last []byte
	var walk func(i uint32, parentRed bool) int
	walk = func(i uint32, parentRed bool) int {
		if i == 0xFFFFFFFF {
			return 1
		}
		count++
		e := entry(i)
		isRed := e[67] == 0
		if isRed && parentRed {
			t.Fatalf("entry %d is red below red", i)
		}
		left := walk(le.Uint32(e[68:]), isRed)
		if last != nil && le.Uint16(last[64:]) > le.Uint16(e[64:]) {
			t.Fatalf("entry %d is shorter than the one before it", i)
		}
		last = e
		if right := walk(le.Uint32(e[72:]), isRed); left != right {
			t.Fatalf("entry %d: %d black to the left, %d to the right", i, left, right)
		}
		if isRed {
			return left
		}
		return left + 1
	}
	top := le.Uint32(entry(0)[76:])
	if top != 0xFFFFFFFF && entry(top)[67] != 1 {
		t.Error("the top is red")
	}
	walk(top, false)
	if count > 0 && count > 10001 {
		t.Errorf("%d entries", count)
	}
}

// Whatever is read: an answer, no panic, no endless walk.
func FuzzOpen(f *testing.F) {
	good := write(f, cfb.Bytes("a", noise(1, 5000)), cfb.Bytes("b", noise(2, 100)), cfb.Bytes("\x05c", nil))
	f.Add(good)
	f.Add(good[:600])
	for _, at := range []int{44, 48, 60, 68, 76, 516, 600, 1024 + 116, 1024 + 128 + 120} {
		bad := bytes.Clone(good)
		bad[at] ^= 0x5A
		f.Add(bad)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := cfb.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, name := range file.Names {
			if data, err := file.Stream(name); err == nil && int64(len(data)) != file.Size(name) {
				t.Errorf("%q: %d bytes of %d", name, len(data), file.Size(name))
			}
		}
	})
}
