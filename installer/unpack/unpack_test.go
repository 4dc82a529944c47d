package unpack_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/unpack"
)

type member struct {
	name, body, link string
	kind             byte
	mode             int64
	size             int64 // stated, when not that of body
}

func archive(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Typeflag: m.kind, Linkname: m.link, Mode: m.mode, Size: int64(len(m.body))}
		if m.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if m.size != 0 {
			h.Size = m.size
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(m.body))
	}
	w.Close()
	z.Close()
	return b.Bytes()
}

func TestAnArchiveIsUnpacked(t *testing.T) {
	dir := t.TempDir()
	data := archive(t, member{name: "sub/", kind: tar.TypeDir, mode: 0o777}, member{name: "./tool", body: "program", mode: 0o4777},
		member{name: "sub/read.me", body: "text", mode: 0o644})
	names, err := unpack.TarGz(bytes.NewReader(data), dir, unpack.Limits{}, nil)
	if err != nil || strings.Join(names, " ") != "tool sub/read.me" {
		t.Fatalf("%v, %v", names, err)
	}
	for name, mode := range map[string]fs.FileMode{"tool": 0o755, "sub/read.me": 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || runtime.GOOS != "windows" && info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "tool")); string(b) != "program" {
		t.Errorf("tool holds %q", b)
	}
}

func TestOnlyWantedFilesAreUnpacked(t *testing.T) {
	dir := t.TempDir()
	data := archive(t, member{name: "a", body: "1"}, member{name: "b", body: "2"})
	names, err := unpack.TarGz(bytes.NewReader(data), dir, unpack.Limits{}, func(n string) bool { return n == "b" })
	if err != nil || len(names) != 1 || names[0] != "b" {
		t.Fatalf("%v, %v", names, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); err == nil {
		t.Error("a was written")
	}
}

func TestUnsafeArchivesAreRefused(t *testing.T) {
	good := archive(t, member{name: "x", body: strings.Repeat("abc", 1000)})
	damaged := bytes.Clone(good)
	damaged[len(damaged)-6] ^= 1
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"up":         {archive(t, member{name: "../x", body: "1"}), unpack.ErrUnsafe},
		"up later":   {archive(t, member{name: "a/../../x", body: "1"}), unpack.ErrUnsafe},
		"absolute":   {archive(t, member{name: "/etc/x", body: "1"}), unpack.ErrUnsafe},
		"backslash":  {archive(t, member{name: `..\x`, body: "1"}), unpack.ErrUnsafe},
		"drive":      {archive(t, member{name: "C:x", body: "1"}), unpack.ErrUnsafe},
		"symlink":    {archive(t, member{name: "x", kind: tar.TypeSymlink, link: "/etc"}), unpack.ErrUnsafe},
		"hard link":  {archive(t, member{name: "x", kind: tar.TypeLink, link: "y"}), unpack.ErrUnsafe},
		"device":     {archive(t, member{name: "x", kind: tar.TypeChar}), unpack.ErrUnsafe},
		"twice":      {archive(t, member{name: "x", body: "1"}, member{name: "./X", body: "2"}), unpack.ErrUnsafe},
		"long file":  {archive(t, member{name: "x", body: strings.Repeat("1", 2000)}), unpack.ErrTooBig},
		"lying size": {archive(t, member{name: "x", size: 1 << 40}), unpack.ErrTooBig},
		"many":       {archive(t, member{name: "1"}, member{name: "2"}, member{name: "3"}, member{name: "4"}), unpack.ErrTooBig},
		"total": {archive(t, member{name: "1", body: strings.Repeat("1", 900)}, member{name: "2", body: strings.Repeat("1", 900)}),
			unpack.ErrTooBig},
		"cut off":     {good[:len(good)-12], unpack.ErrArchive},
		"bit flipped": {damaged, unpack.ErrArchive},
		"no gzip":     {[]byte("<html>please log in</html>"), unpack.ErrArchive},
		"empty":       {nil, unpack.ErrArchive},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			limits := unpack.Limits{Files: 3, File: 1000, Total: 1500}
			if name == "cut off" || name == "bit flipped" {
				limits = unpack.Limits{}
			}
			_, err := unpack.TarGz(bytes.NewReader(c.data), dir, limits, nil)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestWithoutLimitsOfItsOwnAnArchiveHasAtMost128Mebibytes(t *testing.T) {
	for name, members := range map[string][]member{
		"one file": {{name: "x", size: 128<<20 + 1}},
		"in all":   {{name: "x", body: "1"}, {name: "y", size: 128 << 20}},
	} {
		if _, err := unpack.TarGz(bytes.NewReader(archive(t, members...)), t.TempDir(), unpack.Limits{}, nil); !errors.Is(err, unpack.ErrTooBig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzTarGz(f *testing.F) {
	f.Add(archive(f, member{name: "a/b", body: "1", mode: 0o755}, member{name: "c"}))
	f.Add(archive(f, member{name: "../a", body: "1"}))
	f.Add(archive(f, member{name: "a", kind: tar.TypeSymlink, link: "../b"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "in")
		os.Mkdir(dir, 0o755)
		names, _ := unpack.TarGz(bytes.NewReader(data), dir, unpack.Limits{Files: 10, File: 1 << 16, Total: 1 << 17}, nil)
		if list, _ := os.ReadDir(parent); len(list) != 1 {
			t.Fatalf("written outside: %v", list)
		}
		for _, name := range names {
			if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
				t.Fatalf("%q: %v, %v", name, info, err)
			}
		}
	})
}

func zipped(t *testing.T, members ...member) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		h.SetMode(fs.FileMode(m.mode))
		if m.kind == tar.TypeSymlink {
			h.SetMode(fs.ModeSymlink | 0o777)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte(m.body))
	}
	w.Close()
	file := filepath.Join(t.TempDir(), "a.zip")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// The archive of Windows is a zip; the same rules hold for it.
func TestTheRulesHoldForAZip(t *testing.T) {
	dir := t.TempDir()
	names, err := unpack.File(zipped(t, member{name: "tool.exe", body: "program", mode: 0o755}, member{name: "sub/read.me", body: "text",
		mode: 0o644}), dir, unpack.Limits{}, nil)
	if err != nil || strings.Join(names, " ") != "tool.exe sub/read.me" {
		t.Fatalf("%v, %v", names, err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "tool.exe")); string(b) != "program" {
		t.Errorf("tool.exe holds %q", b)
	}
	for name, c := range map[string]struct {
		file string
		want error
	}{
		"up":    {zipped(t, member{name: "../x", body: "1"}), unpack.ErrUnsafe},
		"link":  {zipped(t, member{name: "x", body: "/etc", kind: tar.TypeSymlink}), unpack.ErrUnsafe},
		"twice": {zipped(t, member{name: "x", body: "1"}, member{name: "X", body: "2"}), unpack.ErrUnsafe},
		"long":  {zipped(t, member{name: "x", body: strings.Repeat("1", 2000)}), unpack.ErrTooBig},
	} {
		if _, err := unpack.File(c.file, t.TempDir(), unpack.Limits{Files: 3, File: 1000, Total: 1500}, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	damaged, _ := os.ReadFile(zipped(t, member{name: "x", body: strings.Repeat("abc", 1000)}))
	for i := 40; i < 44; i++ {
		damaged[i] ^= 0xff
	}
	file := filepath.Join(t.TempDir(), "damaged.zip")
	os.WriteFile(file, damaged, 0o600)
	if _, err := unpack.File(file, t.TempDir(), unpack.Limits{}, nil); !errors.Is(err, unpack.ErrArchive) {
		t.Errorf("damaged: %v", err)
	}
}
