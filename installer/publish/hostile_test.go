package publish_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// forged is a region that answers some keys with something else; paths are not cleaned, as a hostile server would not.
func forged(t *testing.T, dir string, forge map[string]string) *bucket.Client {
	t.Helper()
	files := http.FileServer(http.Dir(dir))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.URL.Path, "/")
		text, ok := forge[key]
		if !ok {
			text, ok = forge[path.Base(key)]
		}
		if ok {
			io.WriteString(w, text)
			return
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return bucket.New(bucket.Options{Base: s.URL, Retries: -1})
}

// outside are the files below a folder that do not lie in one of its folders.
func outside(t *testing.T, top, but string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(top, func(at string, d fs.DirEntry, err error) error {
		if at == but {
			return fs.SkipDir
		}
		if err == nil && !d.IsDir() {
			list = append(list, at)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A region says in its repository's index, and in its manifest, which files a mirror is to write. None lies outside of the mirror.
func TestAHostileRegionWritesNothingOutsideAMirror(t *testing.T) {
	origin := t.TempDir()
	publishTo(t, target.Folder(origin), release(t, "9.1.0.0", "one"), publish.Options{Repositories: true, Sign: &key{}})
	evil := "not for here\n"
	for _, name := range []string{"../../../../evil", "main/../../../../evil", "main/binary-amd64/../../../../../evil", "/evil", "main//evil",
		""} {
		text := fmt.Sprintf("Suite: stable\nDate: Tue, 14 Nov 2023 22:13:20 UTC\nSHA256:\n %s %d %s\n", sum(evil), len(evil), name)
		top := t.TempDir()
		dir := filepath.Join(top, "a", "mirror")
		from := forged(t, origin, map[string]string{"dists/stable/Release": text, "dists/stable/InRelease": text, sum(evil): evil})
		_, err := mirror(t, from, dir, publish.Wanted{})
		if name != "" && !errors.Is(err, bucket.ErrNotBucket) {
			t.Errorf("%q: %v", name, err)
		}
		if found := outside(t, top, dir); len(found) != 0 {
			t.Errorf("%q: the mirror wrote %v", name, found)
		}
		// What was begun does not stand in the way of an honest region.
		if _, err := mirror(t, served(t, origin), dir, publish.Wanted{}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	file := manifests.PortableFile("linux", "amd64")
	for _, pkg := range []string{"../../evil", "..", "a/../../../evil", `..\evil`} {
		m := manifests.NewManifest(template)
		m.Add(pkg, file, manifests.FileVersion{Version: "9.1.0.0", Checksum: sum(evil), Size: int64(len(evil))})
		m.Add(pkg, "unknown", manifests.FileVersion{Version: "9.1.0.0", Checksum: sum(evil), Size: int64(len(evil))})
		top := t.TempDir()
		dir := filepath.Join(top, "a", "mirror")
		from := forged(t, origin, map[string]string{regions.ManifestKey: string(m.Bytes()), file: evil, "unknown": evil, "SHA256SUMS": ""})
		if _, err := mirror(t, from, dir, publish.Wanted{}); !errors.Is(err, manifests.ErrManifest) {
			t.Errorf("package %q: %v", pkg, err)
		}
		if found := outside(t, top, dir); len(found) != 0 {
			t.Errorf("package %q: the mirror wrote %v", pkg, found)
		}
	}
}

func TestAChecksumThatIsAPathMirrorsNothing(t *testing.T) {
	origin := t.TempDir()
	publishTo(t, target.Folder(origin), release(t, "9.1.0.0", "one"), publish.Options{})
	climbing := "../../../../" + strings.Repeat("a", 52) // 64 characters
	m := manifests.NewManifest(template)
	m.Add(manifests.AgentPackage, manifests.PortableFile("linux", "amd64"), manifests.FileVersion{Version: "9.1.0.0", Checksum: climbing})
	for name, c := range map[string]struct {
		files map[string]string
		want  error
	}{
		"manifest": {map[string]string{regions.ManifestKey: string(m.Bytes())}, manifests.ErrSum},
		"sums":     {map[string]string{"9.1.0.0/SHA256SUMS": climbing + "  notes.md\n"}, dist.ErrRelease},
	} {
		top := t.TempDir()
		dir := filepath.Join(top, "a", "mirror")
		if _, err := mirror(t, forged(t, origin, c.files), dir, publish.Wanted{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if found := outside(t, top, dir); len(found) != 0 {
			t.Errorf("%s: the mirror wrote %v", name, found)
		}
	}
}

// Neither folder nor bucket takes a key that leads out of it.
func TestNoKeyLeadsOutOfATarget(t *testing.T) {
	ctx, top := context.Background(), t.TempDir()
	os.WriteFile(filepath.Join(top, "secret"), []byte("x"), 0o600)
	_, inBucket := region(t, func(p *target.BucketOptions) { p.Prefix = "mine" })
	for _, to := range []target.Target{target.Folder(filepath.Join(top, "mirror")), inBucket} {
		for _, key := range []string{"../secret", "a/../../secret", "/secret", "a//b", "", ".", "a/./b"} {
			if err := to.Write(ctx, key, strings.NewReader("y"), host.SHA256Bytes([]byte("y")), target.When{}); !errors.Is(err, target.ErrKey) {
				t.Errorf("%s: written %q: %v", to, key, err)
			}
			if _, _, err := to.Read(ctx, key); !errors.Is(err, target.ErrKey) {
				t.Errorf("%s: read %q: %v", to, key, err)
			}
			if _, err := to.Stat(ctx, key); !errors.Is(err, target.ErrKey) {
				t.Errorf("%s: looked at %q: %v", to, key, err)
			}
			if err := to.Remove(ctx, key); !errors.Is(err, target.ErrKey) {
				t.Errorf("%s: removed %q: %v", to, key, err)
			}
		}
	}
	if b, err := os.ReadFile(filepath.Join(top, "secret")); err != nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
}

// A public bucket that may not be listed denies what it has not: no stable version, no signatures, no documents.
func TestABucketThatIsNotListedIsMirrored(t *testing.T) {
	origin := t.TempDir()
	publishTo(t, target.Folder(origin), release(t, "9.1.0.0", "one"), publish.Options{Repositories: true, Sign: &key{}})
	for _, gone := range []string{"repodata/repomd.xml", "repodata/repomd.xml.asc", publish.KeyKey} {
		if err := os.Remove(filepath.Join(origin, filepath.FromSlash(gone))); err != nil {
			t.Fatal(err)
		}
	}
	files := http.FileServer(http.Dir(origin))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := os.Stat(filepath.Join(origin, filepath.FromSlash(r.URL.Path))); err != nil {
			http.Error(w, "<Error><Code>AccessDenied</Code></Error>", http.StatusForbidden)
			return
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	dir := t.TempDir()
	res, err := mirror(t, bucket.New(bucket.Options{Base: s.URL, Retries: -1}), dir, publish.Wanted{})
	if err != nil || res.Latest.String() != "9.1.0.0" || !res.Stable.IsZero() || !res.Signed {
		t.Errorf("%+v, %v", res, err)
	}
}

// A file of a mirror that rotted on its stick is fetched and written anew.
func TestAMirrorRepairsWhatIsDamaged(t *testing.T) {
	origin, dir := t.TempDir(), t.TempDir()
	publishTo(t, target.Folder(origin), release(t, "9.1.0.0", "one"), publish.Options{Repositories: true, Sign: &key{}})
	if _, err := mirror(t, served(t, origin), dir, publish.Wanted{}); err != nil {
		t.Fatal(err)
	}
	keys := []string{"amazon-ssm-agent/9.1.0.0/amazon-ssm-agent-debian-amd64.deb", "9.1.0.0/debian_amd64/amazon-ssm-agent.deb",
		"latest/debian_amd64/amazon-ssm-agent.deb"}
	for n, key := range keys {
		at := filepath.Join(dir, filepath.FromSlash(key))
		b, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		os.WriteFile(at, b[:len(b)-n], 0o644)
	}
	res, err := mirror(t, served(t, origin), dir, publish.Wanted{})
	if err != nil {
		t.Fatal(err)
	}
	repaired := 0
	for _, s := range res.Steps {
		if s.Action == publish.Repaired {
			repaired++
		}
	}
	if repaired != 2 {
		t.Errorf("%d files are said to be repaired", repaired)
	}
	for _, key := range keys {
		if !bytes.Equal([]byte(read(t, target.Folder(dir), key)), []byte(read(t, target.Folder(origin), key))) {
			t.Errorf("%s is still damaged", key)
		}
	}
	whole(t, target.Folder(dir), "9.1.0.0")
}

// A build that writes into the folder while it is published does not leave its other bytes under this version's keys.
func TestAReleaseThatChangesMeanwhileIsNotPublished(t *testing.T) {
	to, one := target.Folder(t.TempDir()), release(t, "9.1.0.0", "one")
	path := filepath.Join(one.Dir, "amazon-ssm-agent-debian-amd64.deb")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(path, []byte("another build"), 0o644)
	if _, err := publish.Publish(context.Background(), to, one, publish.Options{UriFormat: template}); !errors.Is(err, dist.ErrRelease) {
		t.Error(err)
	}
	os.WriteFile(path, before, 0o644)
	publishTo(t, to, one, publish.Options{Repositories: true, Sign: &key{}})
	whole(t, to, "9.1.0.0")
}
