package msi_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/container/msi"
)

func summary() msi.Summary {
	return msi.Summary{Title: "Installation Database", Subject: "a product", Author: "an author", Keywords: "Installer",
		Template: "x64;1033", Time: time.Unix(1700000000, 0).UTC(), Schema: 500, Source: 2, Application: "test", Security: 2}
}

func database(t testing.TB, rows ...[]any) *msi.Database {
	t.Helper()
	s := summary()
	s.Comments = "a comment"
	d := &msi.Database{Summary: s}
	for _, r := range rows {
		if err := d.Add(r[0].(string), r[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func write(t testing.TB, d *msi.Database) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := msi.Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB, b []byte) *msi.Database {
	t.Helper()
	d, err := msi.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sorted are the rows of a table as text, in any fixed order.
func sorted(t *msi.Table) []string {
	var out []string
	for _, r := range t.Rows {
		out = append(out, fmt.Sprintf("%q", r))
	}
	slices.Sort(out)
	return out
}

func same(t *testing.T, want *msi.Database) {
	t.Helper()
	b := write(t, want)
	got := open(t, b)
	if got.Summary.PackageCode == "" {
		t.Error("no package code")
	}
	s := got.Summary
	s.PackageCode = want.Summary.PackageCode
	if s != want.Summary {
		t.Errorf("summary %+v, %+v expected", s, want.Summary)
	}
	if len(got.Tables) != len(want.Tables) || len(got.Streams) != len(want.Streams) {
		t.Errorf("%d tables and %d streams, %d and %d expected", len(got.Tables), len(got.Streams), len(want.Tables), len(want.Streams))
	}
	for _, table := range want.Tables {
		if g := got.Table(table.Name); !reflect.DeepEqual(g.Columns, table.Columns) || !slices.Equal(sorted(g), sorted(table)) {
			t.Errorf("%s: got %v %.2000q, want %v %.2000q", table.Name, g.Columns, g.Rows, table.Columns, table.Rows)
		}
	}
	for _, s := range want.Streams {
		if !bytes.Equal(got.Stream(s.Name), s.Data) {
			t.Errorf("stream %s: %d bytes, %d expected", s.Name, len(got.Stream(s.Name)), len(s.Data))
		}
	}
	if !bytes.Equal(b, write(t, want)) {
		t.Error("the same database gives other bytes")
	}
}

func TestTablesAndStreamsAreReadBack(t *testing.T) {
	d := database(t,
		[]any{"Property", "ProductName", "Something"},
		[]any{"Property", "ProductVersion", "9.1.0"},
		[]any{"Property", "Formatted", "[ProgramFilesFolder]Ä 日本 😀"},
		[]any{"Component", "c", nil, "TARGETDIR", 256, nil, "f"},
		[]any{"Media", 1, 32767, nil, "#agent.cab"},
		[]any{"Media", 32767, -2147483647},
		[]any{"Error", -32767, "low"},
		[]any{"Registry", "r", 2, "Software\\x", "n", "#1", "c"},
		[]any{"Binary", "one", []byte("binary")},
		[]any{"Binary", "two.exe", bytes.Repeat([]byte("large"), 5000)},
		[]any{"Upgrade", "{A}", nil, "9.1.0", nil, 1, nil, "OLD"},
		[]any{"Upgrade", "{A}", "9.1.0", nil, nil, 2, nil, "NEW"},
		[]any{"MsiServiceConfigFailureActions", "x", "s", 1, 86400, nil, nil, "1[~]1", "1000[~]1000", "c"},
	)
	d.Streams = []msi.Stream{{"agent.cab", bytes.Repeat([]byte("cab"), 3000)}, {"odd name-é", []byte("x")}, {"empty", nil}}
	same(t, d)
}

func TestTenThousandRowsAreReadBack(t *testing.T) {
	d := database(t)
	for i := range 10000 {
		if err := d.Add("File", fmt.Sprintf("f%d", i), "c", fmt.Sprintf("SHORT%d|long name %d.txt", i, i), i, nil, nil, 512, i); err != nil {
			t.Fatal(err)
		}
	}
	same(t, d)
}

// More than 65535 texts: their numbers take three bytes.
func TestMoreTextsThanTwoBytesCountAreReadBack(t *testing.T) {
	d := database(t)
	for i := range 40000 {
		if err := d.Add("Property", fmt.Sprintf("P%d", i), fmt.Sprintf("value %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	same(t, d)
}

func TestWhatADatabaseCannotHoldIsRefused(t *testing.T) {
	d := database(t)
	for name, c := range map[string]struct {
		row  []any
		want error
	}{
		"table":      {[]any{"Nothing", "x"}, msi.ErrTable},
		"columns":    {[]any{"Property", "x", "y", "z"}, msi.ErrTable},
		"missing":    {[]any{"Property", "x"}, msi.ErrValue},
		"empty":      {[]any{"Property", "", "x"}, msi.ErrValue},
		"too long":   {[]any{"Property", strings.Repeat("x", 73), "y"}, msi.ErrValue},
		"number":     {[]any{"Property", 5, "y"}, msi.ErrValue},
		"text":       {[]any{"Media", "one", 1}, msi.ErrValue},
		"too much":   {[]any{"Media", 40000, 1}, msi.ErrValue},
		"too little": {[]any{"Media", -32768, 1}, msi.ErrValue},
		"encoding":   {[]any{"Property", "x", "\xff"}, msi.ErrValue},
		"binary":     {[]any{"Binary", "x", "text"}, msi.ErrValue},
	} {
		if err := d.Add(c.row[0].(string), c.row[1:]...); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	twice := database(t, []any{"Property", "x", "1"}, []any{"Property", "x", "2"})
	if err := msi.Write(&bytes.Buffer{}, twice); !errors.Is(err, msi.ErrKey) {
		t.Errorf("a key twice: %v", err)
	}
	odd := database(t)
	odd.Summary.Author = "Ä"
	if err := msi.Write(&bytes.Buffer{}, odd); !errors.Is(err, msi.ErrValue) {
		t.Errorf("summary: %v", err)
	}
}

// The package code follows the content: equal for equal, new for anything else.
func TestThePackageCodeFollowsTheContent(t *testing.T) {
	code := func(change func(*msi.Database)) string {
		d := database(t, []any{"Property", "x", "1"})
		d.Streams = []msi.Stream{{"s", []byte("1")}}
		change(d)
		return open(t, write(t, d)).Summary.PackageCode
	}
	first := code(func(*msi.Database) {})
	if first != code(func(*msi.Database) {}) || len(first) != 38 || strings.ToUpper(first) != first {
		t.Errorf("package code %s", first)
	}
	for name, change := range map[string]func(*msi.Database){
		"row":    func(d *msi.Database) { d.Add("Property", "y", "2") },
		"stream": func(d *msi.Database) { d.Streams[0].Data = []byte("2") },
		"time":   func(d *msi.Database) { d.Summary.Time = d.Summary.Time.Add(time.Second) },
	} {
		if code(change) == first {
			t.Errorf("another %s keeps the package code", name)
		}
	}
}

func TestAGUIDFollowsItsNames(t *testing.T) {
	if a, b := msi.GUID("upgrade"), msi.GUID("upgrade", "x"); a == b || a != msi.GUID("upgrade") || a[15] != '5' {
		t.Errorf("%s %s", a, b)
	}
}

func FuzzOpen(f *testing.F) {
	d := database(f, []any{"Property", "x", "1"}, []any{"Binary", "b", []byte("x")}, []any{"Media", 1, 2})
	d.Streams = []msi.Stream{{"s", []byte("1")}}
	good := write(f, d)
	f.Add(good)
	for at := 512; at < len(good); at += 97 {
		bad := bytes.Clone(good)
		bad[at] ^= 0x41
		f.Add(bad)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := msi.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, table := range d.Tables {
			for _, r := range table.Rows {
				if len(r) != len(table.Columns) {
					t.Errorf("%s: a row of %d values in %d columns", table.Name, len(r), len(table.Columns))
				}
			}
		}
	})
}
