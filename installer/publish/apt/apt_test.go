package apt_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/ulikunitz/xz"

	"github.com/ssm-setup/ssm-setup/installer/publish/apt"
)

const control = "Package: amazon-ssm-agent\nVersion: 9.1.0.0-1\nArchitecture: amd64\nDescription: Agent\n for machines\n"

// deb makes a package with nothing in it; end packs its control archive.
func deb(t testing.TB, text, end string) []byte {
	t.Helper()
	var inner, packed bytes.Buffer
	a := tar.NewWriter(&inner)
	for _, e := range []struct{ name, data string }{{"./postinst", "#!/bin/sh\n"}, {"./control", text}} {
		if err := a.WriteHeader(&tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.data))}); err != nil {
			t.Fatal(err)
		}
		a.Write([]byte(e.data))
	}
	a.Close()
	var w io.WriteCloser
	switch end {
	case ".gz":
		w = gzip.NewWriter(&packed)
	case ".xz":
		w, _ = xz.NewWriter(&packed)
	}
	if w != nil {
		w.Write(inner.Bytes())
		w.Close()
	} else {
		packed = inner
	}
	var out bytes.Buffer
	out.WriteString("!<arch>\n")
	for _, m := range []struct {
		name string
		data []byte
	}{{"debian-binary", []byte("2.0\n")}, {"control.tar" + end, packed.Bytes()}} {
		fmt.Fprintf(&out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", m.name, 0, 0, 0, "100644", len(m.data))
		out.Write(m.data)
		if len(m.data)%2 == 1 {
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

func TestTheControlFileIsReadFromTheHeadOfADeb(t *testing.T) {
	for _, end := range []string{"", ".gz", ".xz"} {
		head := bytes.NewReader(deb(t, control, end))
		got, err := apt.Control(io.MultiReader(head, neverRead{t}))
		if err != nil || got != control {
			t.Errorf("%q: %q, %v", end, got, err)
		}
	}
}

// A few bytes can ask for a dictionary of 4 GiB, which a reader would allocate before it has read anything of the archive.
func TestADictionaryThatIsTooLargeIsRefused(t *testing.T) {
	whole := deb(t, control, ".xz")
	at := bytes.Index(whole, []byte{0x21, 1}) + 2
	whole[at] = 40 // 4 GiB less one
	if _, err := apt.Control(bytes.NewReader(whole)); !errors.Is(err, apt.ErrDeb) || !strings.Contains(err.Error(), "67108864 are allowed") {
		t.Error(err)
	}
}

// neverRead is the payload, which the metadata does not need.
type neverRead struct{ t *testing.T }

func (n neverRead) Read([]byte) (int, error) {
	n.t.Error("read beyond the control archive")
	return 0, io.EOF
}

func TestWhatIsNoDebIsRefused(t *testing.T) {
	good := deb(t, control, ".gz")
	for name, b := range map[string][]byte{"empty": nil, "no ar": []byte("<html>please sign in</html>"), "cut off": good[:len(good)-20],
		"bad size": bytes.Replace(good, []byte("`\n"), []byte("xx"), 1),
		"zst":      bytes.Replace(good, []byte("control.tar.gz "), []byte("control.tar.zst"), 1)} {
		if _, err := apt.Control(bytes.NewReader(b)); !errors.Is(err, apt.ErrDeb) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzControl(f *testing.F) {
	for _, end := range []string{"", ".gz", ".xz"} {
		f.Add(deb(f, control, end))
	}
	f.Add([]byte("!<arch>\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := apt.Control(bytes.NewReader(b)); err != nil && !errors.Is(err, apt.ErrDeb) {
			t.Error(err)
		}
	})
}

func TestAnIndexListsEveryPackage(t *testing.T) {
	list := []apt.Package{
		{Key: "b/two.deb", SHA256: strings.Repeat("B", 64), Size: 7, Control: strings.Replace(control, "amd64", "arm64", 1)},
		{Key: "a/one.deb", SHA256: strings.Repeat("A", 64), Size: 5, Control: control},
	}
	x, err := apt.Stable.Make(list)
	if err != nil {
		t.Fatal(err)
	}
	want := control + "Filename: a/one.deb\nSize: 5\nSHA256: " + strings.Repeat("a", 64) + "\n\n"
	files := map[string][]byte{}
	for _, f := range append(x.Named, x.Hashed...) {
		files[f.Key] = f.Data
	}
	if got := string(files["dists/stable/main/binary-amd64/Packages"]); got != want {
		t.Errorf("Packages\n%s", got)
	}
	release := x.Release(time.Unix(1700000000, 0))
	if !strings.Contains(string(release), "Date: Tue, 14 Nov 2023 22:13:20 UTC\n") ||
		!strings.Contains(string(release), "Architectures: amd64 arm64\n") {
		t.Errorf("Release\n%s", release)
	}
	if got := apt.Date(release); got.Unix() != 1700000000 {
		t.Errorf("date %v", got)
	}
	named := 0
	for line := range strings.Lines(string(release)) {
		f := strings.Fields(line)
		if len(f) != 3 || len(f[0]) != 64 {
			continue
		}
		named++
		data := files["dists/stable/"+f[2]]
		sum := sha256.Sum256(data)
		if hex.EncodeToString(sum[:]) != f[0] || fmt.Sprint(len(data)) != f[1] {
			t.Errorf("%s differs", f[2])
		}
		if !bytes.Equal(files["dists/stable/"+f[2][:strings.LastIndex(f[2], "/")]+"/by-hash/SHA256/"+f[0]], data) {
			t.Errorf("%s is not there by its hash", f[2])
		}
	}
	if named != 6 {
		t.Errorf("%d files are named", named)
	}
	again, err := apt.Stable.Make([]apt.Package{list[1], list[0]})
	if err != nil || !bytes.Equal(again.Release(time.Unix(1, 0)), x.Release(time.Unix(1, 0))) {
		t.Error("the order of the input shows")
	}
}

func TestAnIndexRefusesPackagesItCannotName(t *testing.T) {
	for _, text := range []string{"Package: x\n", "Architecture: ../x\n"} {
		if _, err := apt.Stable.Make([]apt.Package{{Key: "a", Control: text}}); !errors.Is(err, apt.ErrDeb) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A Release file names no list outside of its own folders.
func FuzzRelease(f *testing.F) {
	x, err := apt.Stable.Make([]apt.Package{{Key: "amazon-ssm-agent/9.1.0.0/a.deb", Control: control, SHA256: strings.Repeat("0a", 32),
		Size: 7}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(x.Release(time.Unix(1700000000, 0)))
	f.Add([]byte("SHA256:\n " + strings.Repeat("../", 21) + "x 1 main/Packages\n"))
	f.Add([]byte("Date: then\nSHA256:\n " + strings.Repeat("0", 64) + " 1 ../../x/Packages\n"))
	f.Fuzz(func(t *testing.T, release []byte) {
		for _, key := range apt.Stable.Lists(release) {
			if !strings.HasPrefix(key, apt.Stable.Dists()+"/") || strings.Contains(key+"/", "/../") {
				t.Errorf("%q", key)
			}
		}
		_ = apt.Date(release)
	})
}
