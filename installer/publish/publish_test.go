package publish_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

const template = "http://127.0.0.1:1/amazon-ssm-local/{PackageName}/{PackageVersion}/{FileName}"

// release packs programs that are no programs.
func release(t *testing.T, version, body string) *publish.Release {
	t.Helper()
	v := manifests.MustVersion(version)
	bin, dir := t.TempDir(), t.TempDir()
	for _, name := range []string{pack.Launcher, pack.Worker, pack.Setup} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(body+name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	in := pack.Input{Version: v, Platform: pack.Platforms()[0], Bin: bin, Time: time.Unix(1700000000, 0)}
	for _, f := range pack.Formats() {
		if _, err := pack.Make(f, in, dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := pack.Index(dir, v); err != nil {
		t.Fatal(err)
	}
	r, err := publish.Open(dir, manifests.Version{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t *testing.T, to publish.Target, key string) string {
	t.Helper()
	body, _, err := to.Read(context.Background(), key)
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	defer body.Close()
	b, _ := io.ReadAll(body)
	return string(b)
}

// recorder notes the order of writes, and fails or meddles when told.
type recorder struct {
	publish.Target
	mu     sync.Mutex
	writes []string
	before func(key string) error
}

func (r *recorder) Write(ctx context.Context, key string, body io.ReadSeeker, when publish.When) error {
	if r.before != nil {
		if err := r.before(key); err != nil {
			return err
		}
	}
	if err := r.Target.Write(ctx, key, body, when); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes = append(r.writes, key)
	return nil
}

func put(t *testing.T, to publish.Target, r *publish.Release, o publish.Options) publish.Result {
	t.Helper()
	o.UriFormat = template
	res, err := publish.Publish(context.Background(), to, r, o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestLayoutAndOrder(t *testing.T) {
	to := &recorder{Target: publish.Folder(t.TempDir())}
	res := put(t, to, release(t, "9.1.0.0", "one"), publish.Options{})
	want := []string{"9.1.0.0/debian_amd64/amazon-ssm-agent.deb", "9.1.0.0/linux_amd64/amazon-ssm-agent.rpm", "9.1.0.0/linux_amd64/ssm-setup",
		"amazon-ssm-agent/9.1.0.0/amazon-ssm-agent-debian-amd64.deb", "amazon-ssm-agent/9.1.0.0/amazon-ssm-agent-linux-amd64.rpm",
		"amazon-ssm-agent/9.1.0.0/amazon-ssm-agent-portable-linux-amd64.tar.gz", "ssm-setup/9.1.0.0/ssm-setup-linux-amd64"}
	got := slices.Clone(to.writes)
	slices.Sort(got[:7])
	slices.Sort(got[8:11])
	want = append(want, regions.ManifestKey, "latest/debian_amd64/amazon-ssm-agent.deb", "latest/linux_amd64/amazon-ssm-agent.rpm",
		"latest/linux_amd64/ssm-setup", regions.LatestVersionKey)
	if !slices.Equal(got, want) {
		t.Errorf("written\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if read(t, to, regions.LatestVersionKey) != "9.1.0.0\n" || !res.Latest || !res.Before.IsZero() {
		t.Errorf("%+v", res)
	}
	m, err := manifests.ParseManifest([]byte(read(t, to, regions.ManifestKey)))
	if err != nil || m.UriFormat != template {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestMerge(t *testing.T) {
	to := publish.Folder(t.TempDir())
	one := release(t, "9.1.0.0", "one")
	put(t, to, one, publish.Options{})
	// somebody deprecates it, and the template is the region's own
	m, _ := manifests.ParseManifest([]byte(read(t, to, regions.ManifestKey)))
	m.SetStatus(manifests.AgentPackage, manifests.MustVersion("9.1.0.0"), manifests.Deprecated)
	m.UriFormat = "https://own/{FileName}"
	if err := to.Write(context.Background(), regions.ManifestKey, bytes.NewReader(m.Bytes()), publish.When{}); err != nil {
		t.Fatal(err)
	}
	res := put(t, to, release(t, "9.2.0.0", "two"), publish.Options{})
	if res.Before.String() != "9.1.0.0" || read(t, to, regions.LatestVersionKey) != "9.2.0.0\n" {
		t.Errorf("%+v", res)
	}
	// an older one again: nothing is taken back, nothing written that is there
	again := put(t, to, one, publish.Options{})
	if again.Latest || read(t, to, regions.LatestVersionKey) != "9.2.0.0\n" {
		t.Errorf("%+v", again)
	}
	for _, s := range again.Steps {
		if s.Action == "written" {
			t.Errorf("%s was written again", s.Key)
		}
	}
	m, _ = manifests.ParseManifest([]byte(read(t, to, regions.ManifestKey)))
	l, err := m.Listing(manifests.AgentPackage, manifests.PortableFile("linux", "amd64"))
	if err != nil {
		t.Fatal(err)
	}
	status, _ := l.Status(manifests.MustVersion("9.1.0.0"))
	if status != manifests.Deprecated || l.LatestActive().String() != "9.2.0.0" || m.UriFormat != "https://own/{FileName}" {
		t.Errorf("status %s, latest %s, template %s", status, l.LatestActive(), m.UriFormat)
	}
}

func TestNeverChangesAVersion(t *testing.T) {
	to := publish.Folder(t.TempDir())
	put(t, to, release(t, "9.1.0.0", "one"), publish.Options{})
	other := release(t, "9.1.0.0", "two")
	if _, err := publish.Publish(context.Background(), to, other, publish.Options{UriFormat: template}); !errors.Is(err, publish.ErrPublished) {
		t.Errorf("got %v", err)
	}
	put(t, to, other, publish.Options{Replace: true})
	if !strings.Contains(read(t, to, "ssm-setup/9.1.0.0/ssm-setup-linux-amd64"), "two") {
		t.Error("it was not replaced")
	}
}

func TestDryRun(t *testing.T) {
	dir := t.TempDir()
	res := put(t, publish.Folder(dir), release(t, "9.1.0.0", "one"), publish.Options{DryRun: true})
	if list, _ := os.ReadDir(dir); len(list) != 0 || len(res.Steps) != 12 {
		t.Errorf("%v, %d steps", list, len(res.Steps))
	}
}

// Wherever it stops, the region serves the old release whole; a second run finishes.
func TestStopsAnywhere(t *testing.T) {
	two := release(t, "9.2.0.0", "two")
	for stop := range 12 {
		dir := t.TempDir()
		put(t, publish.Folder(dir), release(t, "9.1.0.0", "one"), publish.Options{})
		n := 0
		to := &recorder{Target: publish.Folder(dir)}
		var mu sync.Mutex
		to.before = func(string) error {
			mu.Lock()
			defer mu.Unlock()
			if n++; n > stop {
				return errors.New("power cut")
			}
			return nil
		}
		if _, err := publish.Publish(context.Background(), to, two, publish.Options{UriFormat: template}); err == nil {
			t.Fatalf("stop %d: no error", stop)
		}
		if got := read(t, to, regions.LatestVersionKey); got != "9.1.0.0\n" {
			t.Errorf("stop %d: VERSION is %q", stop, got)
		}
		m, err := manifests.ParseManifest([]byte(read(t, to, regions.ManifestKey)))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range m.Packages { // whatever the manifest lists is there
			for _, f := range p.Files {
				for _, r := range f.AvailableVersions {
					read(t, to, p.Name+"/"+r.Version+"/"+f.Name)
				}
			}
		}
		put(t, publish.Folder(dir), two, publish.Options{})
		if got := read(t, to, regions.LatestVersionKey); got != "9.2.0.0\n" {
			t.Errorf("stop %d: VERSION is %q after the second run", stop, got)
		}
	}
}

// Two publications at once: both are in the manifest.
func TestSomebodyElse(t *testing.T) {
	dir := t.TempDir()
	one, two := release(t, "9.1.0.0", "one"), release(t, "9.2.0.0", "two")
	to := &recorder{Target: publish.Folder(dir)}
	meddled := false
	to.before = func(key string) error {
		if key == regions.ManifestKey && !meddled {
			meddled = true
			put(t, publish.Folder(dir), two, publish.Options{})
		}
		return nil
	}
	put(t, to, one, publish.Options{})
	if got := read(t, to, regions.LatestVersionKey); got != "9.2.0.0\n" {
		t.Errorf("VERSION went back to %q", got)
	}
	m, _ := manifests.ParseManifest([]byte(read(t, to, regions.ManifestKey)))
	l, err := m.Listing(manifests.AgentPackage, manifests.PortableFile("linux", "amd64"))
	if err != nil || len(l.Versions()) != 2 {
		t.Errorf("%v, %v", l.Versions(), err)
	}
}

func TestGlobal(t *testing.T) {
	global := publish.Folder(t.TempDir())
	put(t, publish.Folder(t.TempDir()), release(t, "9.1.0.0", "one"), publish.Options{Global: global})
	if read(t, global, "latest/VERSION") != "9.1.0.0\n" || read(t, global, "latest/debian_amd64/amazon-ssm-agent.deb") == "" {
		t.Error("no copy")
	}
}

func TestOpenRefuses(t *testing.T) {
	r := release(t, "9.1.0.0", "one")
	if _, err := publish.Open(r.Dir, manifests.MustVersion("9.2.0.0")); !errors.Is(err, publish.ErrRelease) {
		t.Errorf("other version: %v", err)
	}
	if _, err := publish.Open(t.TempDir(), manifests.Version{}); !errors.Is(err, publish.ErrRelease) {
		t.Errorf("empty folder: %v", err)
	}
	f, _ := os.OpenFile(filepath.Join(r.Dir, r.Names()[0]), os.O_APPEND|os.O_WRONLY, 0)
	f.Write([]byte("x"))
	f.Close()
	if _, err := publish.Open(r.Dir, manifests.Version{}); err == nil {
		t.Error("a changed file passed")
	}
}
