package cpio_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/container/cpio"
)

var at = time.Unix(1700000000, 0).UTC()

func pack(t testing.TB, entries []cpio.Entry, data []string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := cpio.NewWriter(&b)
	for i, e := range entries {
		if err := w.Add(e, strings.NewReader(data[i])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTheBytesOfAnArchiveNeverChange(t *testing.T) {
	got := pack(t, []cpio.Entry{{Name: "./a", Mode: 0o755, GID: 80, Time: at, Size: 2}}, []string{"hi"})
	want := "070707" + "000000" + "000001" + "100755" + "000000" + "000120" + "000001" + "000000" + "14524770400" + "000004" + "00000000002" +
		"./a\x00" + "hi" +
		"070707" + "000000" + "000000" + "000000" + "000000" + "000000" + "000001" + "000000" + "00000000000" + "000013" + "00000000000" +
		"TRAILER!!!\x00"
	if string(got) != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// What goes in comes out: odd names, empty files, links, every mode bit, and many of them.
func TestEntriesAreReadBack(t *testing.T) {
	entries := []cpio.Entry{
		{Name: ".", Mode: fs.ModeDir | 0o755, Time: at},
		{Name: "./with space\nand line\x01\xff", Mode: 0o600, Time: at, Size: 4},
		{Name: "./" + strings.Repeat("ü", 5000), Mode: 0, UID: 262143, GID: 1, Time: time.Unix(0, 0).UTC()},
		{Name: "./link", Mode: fs.ModeSymlink | 0o777, Time: at, Size: 3},
		{Name: "./bits", Mode: fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky | 0o7, Time: at},
	}
	data := []string{"", "data", "", "bit", ""}
	for i := range 10000 {
		text := strings.Repeat("x", i%7)
		entries = append(entries, cpio.Entry{Name: fmt.Sprintf("./many/%d", i), Mode: 0o644, Time: at, Size: int64(len(text))})
		data = append(data, text)
	}
	r := cpio.NewReader(bytes.NewReader(pack(t, entries, data)))
	for i, want := range entries {
		got, err := r.Next()
		if err != nil || got != want {
			t.Fatalf("entry %d: got %+v, %v, want %+v", i, got, err, want)
		}
		if i%2 == 1 { // the others are skipped by Next
			continue
		}
		if b, err := io.ReadAll(r); err != nil || string(b) != data[i] {
			t.Fatalf("entry %d: data %q, %v", i, b, err)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last: %v", err)
	}
}

// Sizes up to the format's limit stand in the header; nothing of that size is written here.
func TestSizesUpToTheFormatsLimitAreWritten(t *testing.T) {
	for size, ok := range map[int64]bool{2 << 30: true, 1<<33 - 1: true, 1 << 33: false, -1: false} {
		var b bytes.Buffer
		err := cpio.NewWriter(&b).Add(cpio.Entry{Name: "./big", Mode: 0o644, Time: at, Size: size}, strings.NewReader(""))
		if !errors.Is(err, cpio.ErrFormat) { // fewer bytes than announced, or not expressible
			t.Errorf("%d: %v", size, err)
		}
		e, err := cpio.NewReader(&b).Next()
		if ok && (err != nil || e.Size != size) || !ok && err == nil {
			t.Errorf("%d: read back as %d, %v", size, e.Size, err)
		}
	}
}

func TestWhatTheFormatCannotHoldIsRefused(t *testing.T) {
	for what, e := range map[string]cpio.Entry{
		"no name":     {Mode: 0o644, Time: at},
		"zero byte":   {Name: "a\x00b", Mode: 0o644, Time: at},
		"the trailer": {Name: "TRAILER!!!", Mode: 0o644, Time: at},
		"owner":       {Name: "a", UID: 1 << 18, Time: at},
		"device":      {Name: "a", Mode: fs.ModeDevice, Time: at},
		"time":        {Name: "a", Time: time.Unix(-1, 0)},
		"more data":   {Name: "a", Time: at, Size: 1},
	} {
		if err := cpio.NewWriter(io.Discard).Add(e, strings.NewReader("xx")); !errors.Is(err, cpio.ErrFormat) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Any names and data go there and back.
func TestAnyNamesAndDataAreReadBack(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 50 {
		var entries []cpio.Entry
		var data []string
		for range random.IntN(40) {
			name := make([]byte, 1+random.IntN(300))
			for i := range name {
				name[i] = byte(1 + random.IntN(255))
			}
			text := strings.Repeat("TRAILER!!!\x00070707", random.IntN(5)) // data that looks like an archive
			kind := []fs.FileMode{0, fs.ModeDir, fs.ModeSymlink}[random.IntN(3)]
			entries = append(entries, cpio.Entry{Name: string(name), Mode: kind | fs.FileMode(random.IntN(0o1000)), UID: random.IntN(1 << 18),
				GID:  random.IntN(1 << 18),
				Time: time.Unix(random.Int64N(1<<33), 0).UTC(), Size: int64(len(text))})
			data = append(data, text)
		}
		r := cpio.NewReader(bytes.NewReader(pack(t, entries, data)))
		for i, want := range entries {
			got, err := r.Next()
			if err != nil || got != want {
				t.Fatalf("got %+v, %v, want %+v", got, err, want)
			}
			if b, err := io.ReadAll(r); err != nil || string(b) != data[i] {
				t.Fatalf("data %q, %v", b, err)
			}
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
}

func FuzzRead(f *testing.F) {
	whole := pack(f, []cpio.Entry{{Name: "./a", Mode: 0o755, Time: at, Size: 2}, {Name: "./b", Mode: fs.ModeDir, Time: at}},
		[]string{"hi", ""})
	f.Add(whole)
	f.Add(whole[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		r := cpio.NewReader(bytes.NewReader(b))
		for {
			if _, err := r.Next(); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				if !errors.Is(err, cpio.ErrFormat) {
					t.Error(err)
				}
				return
			}
			if _, err := io.Copy(io.Discard, r); err != nil && !errors.Is(err, cpio.ErrFormat) {
				t.Error(err)
			}
		}
	})
}
