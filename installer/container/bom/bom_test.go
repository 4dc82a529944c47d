package bom_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/container/bom"
)

var at = time.Unix(1700000000, 0).UTC()

func write(t testing.TB, entries []bom.Entry) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := bom.Write(&b, entries); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func small() []bom.Entry {
	return []bom.Entry{
		{Path: ".", Mode: fs.ModeDir | 0o755, Time: at},
		{Path: "./opt", Mode: fs.ModeDir | 0o755, Time: at, GID: 80},
		{Path: "./opt/a b", Mode: 0o600, Time: at, UID: 1, Size: 3, Sum: 0xdeadbeef},
		{Path: "./opt/link", Mode: fs.ModeSymlink | 0o777, Time: at, Size: 3, Sum: 7, Link: "a b"},
		{Path: "./opt/ünter\xff", Mode: fs.ModeSetuid | 0o755, Time: at, Size: 1<<32 - 1, Sum: sumOf(nil)},
	}
}

func compare(t *testing.T, got, want []bom.Entry) {
	t.Helper()
	by := func(a, b bom.Entry) int { return strings.Compare(a.Path, b.Path) }
	slices.SortFunc(got, by)
	slices.SortFunc(want, by)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestEntriesAreReadBackInAnyOrder(t *testing.T) {
	entries := small()
	slices.Reverse(entries) // the order given does not count
	b := write(t, entries)
	if !bytes.Equal(b, write(t, small())) {
		t.Error("the order given changes the bytes")
	}
	got, err := bom.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, small())
}

// Ten thousand paths need three levels of nodes; parents come before what is in them, names in order.
func TestManyPathsAreReadBackInOrder(t *testing.T) {
	entries := []bom.Entry{{Path: ".", Mode: fs.ModeDir | 0o755, Time: at}}
	for i := range 100 {
		folder := fmt.Sprintf("./d%d", i)
		entries = append(entries, bom.Entry{Path: folder, Mode: fs.ModeDir | 0o700, Time: at})
		for j := range 750 {
			entries = append(entries, bom.Entry{Path: fmt.Sprintf("%s/f%d", folder, j), Mode: 0o644, Time: at, Size: int64(j)})
		}
	}
	got, err := bom.Read(write(t, entries))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(got[1:101], func(a, b bom.Entry) int { return strings.Compare(a.Path, b.Path) }) {
		t.Error("a folder's names are not in order")
	}
	compare(t, got, entries)
}

// The sums of POSIX cksum, as the program prints them.
func TestSumsAreThoseOfCksum(t *testing.T) {
	for text, want := range map[string]uint32{"": 4294967295, "a": 1220704766, "123456789": 930766865, "faust.txt": 0xccb0a091} {
		s := bom.NewSum()
		s.Write([]byte(text[:len(text)/2]))
		s.Write([]byte(text[len(text)/2:]))
		if got := s.Sum32(); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// The facts of one file, link and folder, byte for byte as Apple's tool lays them out.
func TestFactsAreLaidOutAsAppleDoes(t *testing.T) {
	b := write(t, small())
	for what, want := range map[string]string{
		"file":   "\x01\x01\x00\x0f\x81\x80\x00\x00\x00\x01\x00\x00\x00\x00\x65\x53\xf1\x00\x00\x00\x00\x03\x01\xde\xad\xbe\xef\x00\x00\x00\x00\x00\x00\x00\x00",
		"folder": "\x02\x01\x00\x0f\x41\xed\x00\x00\x00\x00\x00\x00\x00\x50\x65\x53\xf1\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00",
		"link":   "\x03\x01\x00\x0f\xa1\xff\x00\x00\x00\x00\x00\x00\x00\x00\x65\x53\xf1\x00\x00\x00\x00\x03\x01\x00\x00\x00\x07\x00\x00\x00\x04a b\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"name":   "\x00\x00\x00\x02a b\x00",
	} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("no %s in the bytes", what)
		}
	}
	for _, name := range []string{"BomInfo", "Paths", "HLIndex", "VIndex", "Size64"} {
		if !bytes.Contains(b[:700], []byte(name)) {
			t.Errorf("%s is not named", name)
		}
	}
	index, length := binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:])
	if int(index+length) != len(b) {
		t.Errorf("the index ends at %d of %d", index+length, len(b))
	}
}

func TestWhatABillCannotHoldIsRefused(t *testing.T) {
	root := bom.Entry{Path: ".", Mode: fs.ModeDir, Time: at}
	for what, e := range map[string]bom.Entry{
		"no folder":  {Path: "./a/b", Time: at},
		"absolute":   {Path: "/a", Time: at},
		"no dot":     {Path: "a", Time: at},
		"upward":     {Path: "./..", Time: at},
		"empty name": {Path: "./", Time: at},
		"twice":      root,
		"zero byte":  {Path: "./a\x00", Time: at},
		"4 GiB":      {Path: "./a", Time: at, Size: 1 << 32},
		"time":       {Path: "./a", Time: time.Unix(1<<32, 0)},
		"device":     {Path: "./a", Time: at, Mode: fs.ModeDevice},
		"file link":  {Path: "./a", Time: at, Link: "b"},
	} {
		if err := bom.Write(new(bytes.Buffer), []bom.Entry{root, e}); !errors.Is(err, bom.ErrFormat) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(write(f, small()))
	f.Add(write(f, small()[:1])[:600])
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := bom.Read(b); err != nil && !errors.Is(err, bom.ErrFormat) {
			t.Error(err)
		}
	})
}

// Any tree of names goes there and back, whatever the number of nodes it takes.
func TestAnyTreeOfNamesIsReadBack(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 30 {
		entries, names := []bom.Entry{{Path: ".", Mode: fs.ModeDir | 0o755, Time: at}}, map[string]bool{}
		folders := []string{"."}
		for range random.IntN(1500) {
			b := make([]byte, 1+random.IntN(60))
			for i := range b {
				b[i] = byte(1 + random.IntN(255))
			}
			name := strings.ReplaceAll(string(b), "/", "_")
			full := folders[random.IntN(len(folders))] + "/" + name
			if name == "." || name == ".." || names[full] {
				continue
			}
			names[full] = true
			e := bom.Entry{Path: full, Mode: fs.FileMode(random.IntN(0o1000)), UID: random.Uint32(), GID: random.Uint32(),
				Time: time.Unix(int64(random.Uint32()), 0).UTC()}
			switch random.IntN(6) {
			case 0:
				e.Mode |= fs.ModeDir
				if len(full) < 500 {
					folders = append(folders, full)
				}
			case 1:
				e.Mode, e.Link, e.Size, e.Sum = e.Mode|fs.ModeSymlink, string(b), int64(len(b)), sumOf(b)
			default:
				e.Size, e.Sum = int64(random.Uint32()), random.Uint32()
			}
			entries = append(entries, e)
		}
		got, err := bom.Read(write(t, entries))
		if err != nil {
			t.Fatal(err)
		}
		compare(t, got, entries)
	}
}

// sumOf is the POSIX cksum of some bytes.
func sumOf(b []byte) uint32 {
	s := bom.NewSum()
	_, _ = s.Write(b) // a hash takes everything
	return s.Sum32()
}
