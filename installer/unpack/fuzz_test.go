package unpack_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/unpack"
)

func FuzzZip(f *testing.F) {
	seed := func(names ...string) {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, name := range names {
			h := &zip.FileHeader{Name: name, Method: zip.Deflate}
			h.SetMode(0o755)
			out, err := z.CreateHeader(h)
			if err != nil {
				f.Fatal(err)
			}
			if _, err := out.Write([]byte("content of " + name)); name[len(name)-1] != '/' && err != nil {
				f.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	seed("amazon-ssm-agent.exe", "sub/read.me")
	seed("sub/x", "../a")
	seed("a", "a")
	f.Fuzz(func(t *testing.T, data []byte) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "in")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		names, _ := unpack.Zip(bytes.NewReader(data), int64(len(data)), dir, unpack.Limits{Files: 10, File: 1 << 16, Total: 1 << 17}, nil)
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
