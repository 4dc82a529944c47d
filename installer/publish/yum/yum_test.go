package yum_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish/yum"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// rpm packs programs that are no programs.
func rpm(t testing.TB) []byte {
	t.Helper()
	bin, dir := t.TempDir(), t.TempDir()
	for _, name := range []string{pack.Launcher, pack.Worker} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	formats, err := pack.ParseFormats([]string{"rpm"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := pack.Make(formats[0], pack.Input{Version: manifests.MustVersion("9.1.0.0"), Platform: pack.Platform{OS: "linux", Arch: "amd64"},
		Bin:  bin,
		Time: time.Unix(1700000000, 0)}, dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, a.File))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnIndexListsEveryPackage(t *testing.T) {
	content := rpm(t)
	p, err := yum.Read(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if p.Name() != "amazon-ssm-agent-9.1.0.0-1.x86_64" {
		t.Error(p.Name())
	}
	p.Key, p.SHA256, p.Size = "amazon-ssm-agent/9.1.0.0/a.rpm", strings.Repeat("A", 64), int64(len(content))
	x, err := yum.Root.Make([]yum.Package{p})
	if err != nil {
		t.Fatal(err)
	}
	lists := map[string]string{}
	for _, f := range x.Hashed {
		z, err := gzip.NewReader(bytes.NewReader(f.Data))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(z)
		_, kind, _ := strings.Cut(f.Key, "-")
		lists[strings.TrimSuffix(kind, ".xml.gz")] = string(text)
	}
	var primary struct {
		Packages int `xml:"packages,attr"`
		Package  []struct {
			Name    string `xml:"name"`
			Arch    string `xml:"arch"`
			Version struct {
				Epoch string `xml:"epoch,attr"`
				Ver   string `xml:"ver,attr"`
				Rel   string `xml:"rel,attr"`
			} `xml:"version"`
			Checksum string `xml:"checksum"`
			Location struct {
				Href string `xml:"href,attr"`
			} `xml:"location"`
			Format struct {
				License string `xml:"license"`
				Range   struct {
					Start int64 `xml:"start,attr"`
					End   int64 `xml:"end,attr"`
				} `xml:"header-range"`
				Provides []struct {
					Name string `xml:"name,attr"`
				} `xml:"provides>entry"`
				Files []string `xml:"file"`
			} `xml:"format"`
		} `xml:"package"`
	}
	if err := xml.Unmarshal([]byte(lists["primary"]), &primary); err != nil || primary.Packages != 1 || len(primary.Package) != 1 {
		t.Fatalf("%v\n%s", err, lists["primary"])
	}
	got := primary.Package[0]
	if got.Name != "amazon-ssm-agent" || got.Arch != "x86_64" || got.Version.Epoch != "0" || got.Version.Ver != "9.1.0.0" ||
		got.Version.Rel != "1" ||
		got.Checksum != strings.Repeat("a", 64) || got.Location.Href != p.Key || got.Format.License != "Apache-2.0" ||
		len(got.Format.Provides) == 0 {
		t.Errorf("%+v", got)
	}
	at := got.Format.Range // the main header lies where it is said to
	if magic := []byte{0x8e, 0xad, 0xe8, 1}; !bytes.HasPrefix(content[at.Start:], magic) || at.End <= at.Start ||
		!bytes.HasPrefix(content[at.End:], []byte("\xfd7zXZ")) {
		t.Errorf("header %d to %d", at.Start, at.End)
	}
	if !strings.Contains(lists["filelists"], "<file>/usr/bin/ssm-agent-worker</file>") ||
		!strings.Contains(lists["filelists"], `<file type="dir">/var/lib/amazon/ssm</file>`) {
		t.Error(lists["filelists"])
	}
	if strings.Contains(lists["primary"], "/var/lib/amazon") || !strings.Contains(lists["primary"], "<file>/usr/bin/amazon-ssm-agent</file>") {
		t.Error("files of the primary list")
	}
	repomd := x.Repomd(time.Unix(1700000000, 0))
	if yum.Date(repomd).Unix() != 1700000000 || strings.Count(string(repomd), "<location href=\"repodata/") != 3 {
		t.Errorf("%s", repomd)
	}
	var any struct{}
	for name, text := range lists {
		if err := xml.Unmarshal([]byte(text), &any); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsNoRPMIsRefused(t *testing.T) {
	good := rpm(t)
	huge := bytes.Clone(good)
	binary.BigEndian.PutUint32(huge[96+12:], 1<<31)
	for name, b := range map[string][]byte{"empty": nil, "html": []byte(strings.Repeat("<html>", 100)), "cut off": good[:400], "huge": huge} {
		if _, err := yum.Read(bytes.NewReader(b)); !errors.Is(err, yum.ErrRPM) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(rpm(f)[:4096])
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := yum.Read(bytes.NewReader(b))
		if err != nil && !errors.Is(err, yum.ErrRPM) {
			t.Error(err)
		}
		if err == nil {
			if _, err := yum.Root.Make([]yum.Package{p}); err != nil {
				t.Error(err)
			}
		}
	})
}

// A repomd.xml names no list outside of its own folder.
func FuzzRepomd(f *testing.F) {
	p, err := yum.Read(bytes.NewReader(rpm(f)))
	if err != nil {
		f.Fatal(err)
	}
	p.Key, p.SHA256, p.Size = "amazon-ssm-agent/9.1.0.0/a.rpm", strings.Repeat("A", 64), 7
	x, err := yum.Stable.Make([]yum.Package{p})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(x.Repomd(time.Unix(1700000000, 0)))
	f.Add([]byte(`<revision>99999999999</revision><location href="repodata/../x.xml.gz"/>`))
	f.Fuzz(func(t *testing.T, repomd []byte) {
		for _, key := range yum.Stable.Lists(repomd) {
			if path.Dir(key) != "stable/repodata" {
				t.Errorf("%q", key)
			}
		}
		_ = yum.Date(repomd)
	})
}
