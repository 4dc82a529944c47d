package publish_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/unpack"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

const template = "http://127.0.0.1:1/amazon-ssm-local/{PackageName}/{PackageVersion}/{FileName}"

// release packs programs that are no programs.
func release(t *testing.T, version, body string) *dist.Release {
	t.Helper()
	return releaseFor(t, version, body, pack.Platforms()[0])
}

func releaseFor(t *testing.T, version, body string, platforms ...pack.Platform) *dist.Release {
	t.Helper()
	v := manifests.MustVersion(version)
	bin, dir := t.TempDir(), t.TempDir()
	for _, name := range []string{pack.Launcher, pack.Worker, pack.Setup} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(body+name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	formats, err := pack.ParseFormats([]string{"deb", "rpm", "tar", "setup"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range platforms {
		for _, f := range formats {
			if _, err := pack.Make(f, pack.Input{Version: v, Platform: p, Bin: bin, Time: time.Unix(1700000000, 0)}, dir); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := build.Index(dir, v); err != nil {
		t.Fatal(err)
	}
	r, err := dist.Open(dir, manifests.Version{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t *testing.T, to target.Target, key string) string {
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
	target.Target
	mu     sync.Mutex
	writes []string
	before func(key string) error
}

func (r *recorder) Write(ctx context.Context, key string, body io.ReadSeeker, sum string, when target.When) error {
	if r.before != nil {
		if err := r.before(key); err != nil {
			return err
		}
	}
	if err := r.Target.Write(ctx, key, body, sum, when); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes = append(r.writes, key)
	return nil
}

func publishTo(t *testing.T, to target.Target, r *dist.Release, o publish.Options) publish.Result {
	t.Helper()
	o.UriFormat = template
	res, err := publish.Publish(context.Background(), to, r, o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// rank is the place of a key in the order of writes.
func rank(key string) int {
	switch {
	case key == regions.LatestVersionKey:
		return 6
	case key == publish.FeedKey:
		return 5
	case strings.HasPrefix(key, "dists/"), strings.Contains("/"+key, "/repodata/"), key == publish.KeyKey, key == regions.IndexKey:
		return 3
	case strings.HasPrefix(key, "latest/"):
		return 4
	case key == regions.ManifestKey:
		return 2
	}
	return 1
}

func TestFilesArePublishedBeforeWhatNamesThem(t *testing.T) {
	to := &recorder{Target: target.Folder(t.TempDir())}
	res := publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{Repositories: true})
	for _, key := range []string{"9.1.0.0/SHA256SUMS", "9.1.0.0/debian_amd64/amazon-ssm-agent.deb",
		"9.1.0.0/linux_amd64/amazon-ssm-agent.rpm", "9.1.0.0/linux_amd64/ssm-setup",
		"amazon-ssm-agent/9.1.0.0/amazon-ssm-agent-debian-amd64.deb", "amazon-ssm-agent/9.1.0.0/amazon-ssm-agent-linux-amd64.rpm",
		"amazon-ssm-agent/9.1.0.0/amazon-ssm-agent-portable-linux-amd64.tar.gz", "ssm-setup/9.1.0.0/ssm-setup-linux-amd64",
		regions.ManifestKey, "dists/stable/Release", "repodata/repomd.xml", "latest/debian_amd64/amazon-ssm-agent.deb",
		"latest/linux_amd64/amazon-ssm-agent.rpm", "latest/linux_amd64/ssm-setup", publish.FeedKey, regions.LatestVersionKey} {
		if !slices.Contains(to.writes, key) {
			t.Errorf("%s was not written", key)
		}
	}
	if !slices.IsSortedFunc(to.writes, func(a, b string) int { return rank(a) - rank(b) }) {
		t.Errorf("order\n%s", strings.Join(to.writes, "\n"))
	}
	if read(t, to, regions.LatestVersionKey) != "9.1.0.0\n" || !res.Latest || !res.Before.IsZero() {
		t.Errorf("%+v", res)
	}
}

func TestAPublicationKeepsWhatTheManifestHas(t *testing.T) {
	to := target.Folder(t.TempDir())
	one := release(t, "9.1.0.0", "one")
	publishTo(t, to, one, publish.Options{})
	// it is deprecated by hand, and the template is the region's own
	m, _ := manifests.ParseManifest([]byte(read(t, to, regions.ManifestKey)))
	m.SetStatus(manifests.AgentPackage, manifests.MustVersion("9.1.0.0"), manifests.Deprecated)
	m.UriFormat = "https://own/{FileName}"
	if err := to.Write(context.Background(), regions.ManifestKey, bytes.NewReader(m.Bytes()), host.SHA256Bytes(m.Bytes()),
		target.When{}); err != nil {
		t.Fatal(err)
	}
	res := publishTo(t, to, release(t, "9.2.0.0", "two"), publish.Options{})
	if res.Before.String() != "9.1.0.0" || read(t, to, regions.LatestVersionKey) != "9.2.0.0\n" {
		t.Errorf("%+v", res)
	}
	// an older one again: nothing is taken back, nothing written that is there
	again := publishTo(t, to, one, publish.Options{})
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

func TestAPublishedVersionNeverChangesItsBytes(t *testing.T) {
	to := target.Folder(t.TempDir())
	publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{})
	other := release(t, "9.1.0.0", "two")
	if _, err := publish.Publish(context.Background(), to, other, publish.Options{UriFormat: template}); !errors.Is(err,
		publish.ErrPublished) {
		t.Errorf("got %v", err)
	}
	publishTo(t, to, other, publish.Options{Replace: true})
	if !strings.Contains(read(t, to, "ssm-setup/9.1.0.0/ssm-setup-linux-amd64"), "two") {
		t.Error("it was not replaced")
	}
}

func TestADryRunWritesNothing(t *testing.T) {
	dir := t.TempDir()
	res := publishTo(t, target.Folder(dir), release(t, "9.1.0.0", "one"), publish.Options{DryRun: true})
	if list, _ := os.ReadDir(dir); len(list) != 0 || len(res.Steps) < 12 ||
		slices.ContainsFunc(res.Steps, func(s publish.Step) bool { return s.Action != publish.New }) {
		t.Errorf("%v, %d steps", list, len(res.Steps))
	}
}

// Wherever it stops, the region serves the old release whole; a second run finishes, and a third writes nothing.
func TestAPublicationThatStopsAnywhereIsFinishedByTheNext(t *testing.T) {
	one, two := release(t, "9.1.0.0", "one"), release(t, "9.2.0.0", "two")
	o := publish.Options{UriFormat: template, Repositories: true, Sign: &key{}}
	before := t.TempDir()
	publishTo(t, target.Folder(before), one, o)
	for stop := 0; ; stop++ {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(before)); err != nil {
			t.Fatal(err)
		}
		var n atomic.Int64
		to := &recorder{Target: target.Folder(dir), before: func(string) error {
			if n.Add(1) > int64(stop) {
				return errors.New("power cut")
			}
			return nil
		}}
		if _, err := publish.Publish(context.Background(), to, two, o); err == nil {
			if stop < 20 {
				t.Fatalf("only %d writes", stop)
			}
			return
		}
		whole(t, to, "9.1.0.0")
		again := &recorder{Target: target.Folder(dir)}
		publishTo(t, again, two, o)
		whole(t, to, "9.2.0.0")
		third := &recorder{Target: target.Folder(dir)}
		publishTo(t, third, two, o)
		if len(third.writes) > 0 {
			t.Errorf("stop %d: a third run writes %v", stop, third.writes)
		}
	}
}

// whole checks that a place serves a version, that whatever its manifest lists is there, and that its repositories hold.
func whole(t *testing.T, at target.Target, version string) {
	t.Helper()
	if got := read(t, at, regions.LatestVersionKey); got != version+"\n" {
		t.Errorf("VERSION is %q, not %s", got, version)
	}
	m, err := manifests.ParseManifest([]byte(read(t, at, regions.ManifestKey)))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Packages {
		for _, f := range p.Files {
			for _, r := range f.AvailableVersions {
				if got := sum(read(t, at, p.Name+"/"+r.Version+"/"+f.Name)); got != r.Checksum {
					t.Errorf("%s of %s is damaged", f.Name, r.Version)
				}
			}
		}
	}
	release := read(t, at, "dists/stable/InRelease") // what apt reads first names files that are there, by their hash
	for _, line := range strings.Split(release, "\n") {
		if f := strings.Fields(line); len(f) == 3 && len(f[0]) == 64 {
			if got := sum(read(t, at, "dists/stable/"+filepath.Dir(f[2])+"/by-hash/SHA256/"+f[0])); got != f[0] {
				t.Errorf("by-hash %s of %s is damaged", f[0], f[2])
			}
		}
	}
	for _, found := range regexp.MustCompile(`href="([^"]+)"`).FindAllStringSubmatch(read(t, at, "repodata/repomd.xml"), -1) {
		read(t, at, found[1])
	}
	var feed struct {
		Entries []struct {
			Title string `xml:"title"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal([]byte(read(t, at, publish.FeedKey)), &feed); err != nil || len(feed.Entries) == 0 {
		t.Errorf("feed: %v, %d entries", err, len(feed.Entries))
	}
}

func sum(text string) string { s := sha256.Sum256([]byte(text)); return hex.EncodeToString(s[:]) }

// key signs in a way that a test can see.
type key struct{ owner string }

func (k key) Armored(data []byte) ([]byte, error) {
	return []byte(k.owner + "signature of " + sum(string(data))), nil
}
func (k key) Clear(text []byte) ([]byte, error) {
	return []byte("BEGIN\n" + string(text) + "END " + k.owner + sum(string(text))), nil
}
func (k key) PublicKey() ([]byte, error) { return []byte(k.owner + "public"), nil }
func (k key) Knows(file []byte) bool     { return string(file) == k.owner+"public" }

func TestSignedRepositoriesStaySigned(t *testing.T) {
	to := &recorder{Target: target.Folder(t.TempDir())}
	publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{Repositories: true, Sign: &key{}})
	if read(t, to, "dists/stable/Release.gpg") != "signature of "+sum(read(t, to, "dists/stable/Release")) ||
		read(t, to, "repodata/repomd.xml.asc") != "signature of "+sum(read(t, to, "repodata/repomd.xml")) {
		t.Error("a signature is not that of its file")
	}
	to.writes = nil
	_, err := publish.Publish(context.Background(), to, release(t, "9.2.0.0", "two"), publish.Options{UriFormat: template, Repositories: true})
	if !errors.Is(err, publish.ErrSigned) || len(to.writes) > 0 {
		t.Errorf("%v, written %v", err, to.writes)
	}
}

// Every client trusts the key it has: another one is refused before anything is written, unless that is asked for.
func TestAnotherKeyIsRefusedUnlessAskedFor(t *testing.T) {
	ctx, to := context.Background(), &recorder{Target: target.Folder(t.TempDir())}
	one, two := release(t, "9.1.0.0", "one"), release(t, "9.2.0.0", "two")
	with := publish.Options{UriFormat: template, Repositories: true, Sign: &key{"old "}}
	publishTo(t, to, one, with)
	to.writes = nil
	with.Sign = &key{"new "}
	if _, err := publish.Publish(ctx, to, two, with); !errors.Is(err, publish.ErrOtherKey) {
		t.Errorf("publish: %v", err)
	}
	if _, err := publish.Mark(ctx, to, one.Version, manifests.Deprecated, with); !errors.Is(err, publish.ErrOtherKey) {
		t.Errorf("mark: %v", err)
	}
	if len(to.writes) > 0 {
		t.Errorf("written %v", to.writes)
	}
	with.ChangeKey = true
	publishTo(t, to, two, with)
	if read(t, to, publish.KeyKey) != "new public" {
		t.Error("asked for, and not changed")
	}
}

// With another key, or the same renewed, repositories are signed anew though nothing else changed; stopped in the middle, the
// next run does it.
func TestAnotherKeySignsAllAnew(t *testing.T) {
	one := release(t, "9.1.0.0", "one")
	with := func(owner string) publish.Options {
		return publish.Options{UriFormat: template, Repositories: true, Sign: &key{owner}, ChangeKey: true}
	}
	for stop := 0; ; stop++ {
		dir := t.TempDir()
		to := target.Folder(dir)
		publishTo(t, to, one, with("old "))
		_, err := publish.Publish(context.Background(), &stopping{Target: to, left: stop}, one, with("new "))
		if err != nil && !errors.Is(err, errStop) {
			t.Fatal(err)
		}
		whole(t, to, "9.1.0.0")
		publishTo(t, to, one, with("new "))
		whole(t, to, "9.1.0.0")
		for _, at := range []string{"dists/stable/InRelease", "dists/stable/Release.gpg", "repodata/repomd.xml.asc", publish.KeyKey} {
			if text := read(t, to, at); !strings.Contains(text, "new ") || strings.Contains(text, "old ") {
				t.Errorf("stopped after %d: %s is\n%s", stop, at, text)
			}
		}
		for _, s := range publishTo(t, to, one, with("new ")).Steps {
			if s.Action != publish.Same {
				t.Errorf("once more: %+v", s)
			}
		}
		if err == nil {
			break
		}
	}
}

func TestOnlyServedVersionsAreMarkedAndPromoted(t *testing.T) {
	ctx, to, o := context.Background(), target.Folder(t.TempDir()), publish.Options{UriFormat: template, Repositories: true}
	one, two := manifests.MustVersion("9.1.0.0"), manifests.MustVersion("9.2.0.0")
	publishTo(t, to, release(t, "9.1.0.0", "one"), o)
	publishTo(t, to, release(t, "9.2.0.0", "two"), o)
	packages := "dists/stable/main/binary-amd64/Packages"
	if got := read(t, to, packages); strings.Count(got, "Package: amazon-ssm-agent\n") != 2 {
		t.Errorf("apt sees\n%s", got)
	}
	if _, err := publish.Mark(ctx, to, two, manifests.Inactive, o); err != nil {
		t.Fatal(err)
	}
	if got := read(t, to, packages); strings.Contains(got, "9.2.0.0") || !strings.Contains(got, "Version: 9.1.0.0") {
		t.Errorf("apt sees\n%s", got)
	}
	if got := read(t, to, publish.FeedKey); strings.Contains(got, "9.2.0.0") {
		t.Errorf("the feed has\n%s", got)
	}
	if _, err := publish.Promote(ctx, to, two, o); !errors.Is(err, publish.ErrNotServed) {
		t.Errorf("an inactive version was promoted: %v", err)
	}
	if _, err := publish.Promote(ctx, to, manifests.MustVersion("9.9.0.0"), o); !errors.Is(err, publish.ErrNotServed) {
		t.Errorf("an unknown version was promoted: %v", err)
	}
	if _, err := publish.Promote(ctx, to, one, o); err != nil || read(t, to, regions.StableVersionKey) != "9.1.0.0\n" {
		t.Errorf("promote: %v", err)
	}
	if _, err := publish.Mark(ctx, to, manifests.MustVersion("9.9.0.0"), manifests.Active, o); !errors.Is(err, publish.ErrNotServed) {
		t.Errorf("an unknown version was marked: %v", err)
	}
}

// Two publications at once: both are in the manifest.
func TestAnotherPublicationAtTheSameTimeLosesNothing(t *testing.T) {
	dir := t.TempDir()
	one, two := release(t, "9.1.0.0", "one"), release(t, "9.2.0.0", "two")
	to := &recorder{Target: target.Folder(dir)}
	meddled := false
	to.before = func(key string) error {
		if key == regions.ManifestKey && !meddled {
			meddled = true
			publishTo(t, target.Folder(dir), two, publish.Options{})
		}
		return nil
	}
	publishTo(t, to, one, publish.Options{})
	if got := read(t, to, regions.LatestVersionKey); got != "9.2.0.0\n" {
		t.Errorf("VERSION went back to %q", got)
	}
	m, _ := manifests.ParseManifest([]byte(read(t, to, regions.ManifestKey)))
	l, err := m.Listing(manifests.AgentPackage, manifests.PortableFile("linux", "amd64"))
	if err != nil || len(l.Versions()) != 2 {
		t.Errorf("%v, %v", l.Versions(), err)
	}
}

// A publication that is overtaken while it writes the copies below latest/ leaves those of the newer one there; so does the
// next one, if this one breaks off.
func TestAnOvertakenPublicationPutsTheNewerCopiesBack(t *testing.T) {
	one, two := release(t, "9.1.0.0", "one"), release(t, "9.2.0.0", "two")
	for _, breaksOff := range []bool{false, true} {
		dir := t.TempDir()
		var once sync.Once
		to := &recorder{Target: target.Folder(dir)}
		to.before = func(key string) error {
			if key == "latest/linux_amd64/amazon-ssm-agent.rpm" {
				once.Do(func() { publishTo(t, target.Folder(dir), two, publish.Options{}) })
			}
			if key == regions.LatestVersionKey && breaksOff {
				return errors.New("power cut")
			}
			return nil
		}
		if _, err := publish.Publish(context.Background(), to, one, publish.Options{UriFormat: template}); (err != nil) != breaksOff {
			t.Fatal(err)
		}
		if breaksOff {
			publishTo(t, target.Folder(dir), one, publish.Options{})
		}
		if read(t, to, regions.LatestVersionKey) != "9.2.0.0\n" {
			t.Error("VERSION went back")
		}
		for _, f := range two.Files {
			for _, key := range f.Latest {
				if sum(read(t, to, key)) != f.SHA256 {
					t.Errorf("breaks off %v: %s is not that of 9.2.0.0", breaksOff, key)
				}
			}
		}
	}
}

func TestTheLatestVersionIsCopiedToTheGlobalTarget(t *testing.T) {
	global := target.Folder(t.TempDir())
	publishTo(t, target.Folder(t.TempDir()), release(t, "9.1.0.0", "one"), publish.Options{Global: global})
	if read(t, global, "latest/VERSION") != "9.1.0.0\n" || read(t, global, "latest/debian_amd64/amazon-ssm-agent.deb") == "" {
		t.Error("no copy")
	}
}

// What a build wrote and what was changed since, or removed, is no release.
func TestAChangedBuildIsNoRelease(t *testing.T) {
	r := release(t, "9.1.0.0", "one")
	if _, err := dist.Open(r.Dir, manifests.MustVersion("9.2.0.0")); !errors.Is(err, dist.ErrRelease) {
		t.Errorf("other version: %v", err)
	}
	if _, err := dist.Open(t.TempDir(), manifests.Version{}); !errors.Is(err, dist.ErrRelease) {
		t.Errorf("empty folder: %v", err)
	}
	sums, manifest := filepath.Join(r.Dir, build.SumsFile), filepath.Join(r.Dir, build.ManifestFile)
	zero := strings.Repeat("0", 64)
	for what, change := range map[string]struct {
		path string
		to   func(string) string
	}{
		"no sums":           {sums, func(string) string { return "" }},
		"another sum":       {sums, func(s string) string { return zero + s[64:] }},
		"a file is missing": {sums, func(s string) string { return s + zero + "  sbom.json\n" }},
		"a path":            {sums, func(s string) string { return s + zero + "  ../../etc/passwd\n" }},
		"not all are there": {sums, func(s string) string { return s[strings.IndexByte(s, '\n')+1:] }},
		"prose in the sums": {sums, func(s string) string { return s + "hello\n" }},
		"another version":   {manifest, func(s string) string { return strings.Replace(s, "9.1.0.0", "9.1.0.1", 1) }},
		"empty manifest":    {manifest, func(string) string { return "{}" }},
		"no JSON":           {manifest, func(string) string { return "<html>" }},
	} {
		was, err := os.ReadFile(change.path)
		if err != nil {
			t.Fatal(err)
		}
		os.WriteFile(change.path, []byte(change.to(string(was))), 0o644)
		if _, err := dist.Open(r.Dir, manifests.Version{}); !errors.Is(err, dist.ErrRelease) && !errors.Is(err, manifests.ErrManifest) {
			t.Errorf("%s: %v", what, err)
		}
		os.WriteFile(change.path, was, 0o644)
	}
	if _, err := dist.Open(r.Dir, manifests.Version{}); err != nil {
		t.Fatal(err)
	}
	f, _ := os.OpenFile(filepath.Join(r.Dir, r.Names()[0]), os.O_APPEND|os.O_WRONLY, 0)
	f.Write([]byte("x"))
	f.Close()
	if _, err := dist.Open(r.Dir, manifests.Version{}); err == nil {
		t.Error("a changed file passed")
	}
}

// What a manifest says of an archive's files is what they have, whether the release was built before that was listed or not.
func TestPublishListsHowMuchAnArchiveHolds(t *testing.T) {
	r := release(t, "9.1.0.0", "one")
	path := filepath.Join(r.Dir, build.ManifestFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	older := regexp.MustCompile(`,\s*"UnpackedSize": \d+`).ReplaceAll(text, nil)
	if bytes.Equal(older, text) {
		t.Error("the release's own manifest does not list it")
	}
	wrong := regexp.MustCompile(`"UnpackedSize": \d+`).ReplaceAll(text, []byte(`"UnpackedSize": 7`))
	if err := os.WriteFile(path, wrong, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := dist.Open(r.Dir, manifests.Version{}); !errors.Is(err, dist.ErrRelease) {
		t.Errorf("a wrong size: %v", err)
	}
	if err := os.WriteFile(path, older, 0o644); err != nil {
		t.Fatal(err)
	}
	old, err := dist.Open(r.Dir, manifests.Version{})
	if err != nil {
		t.Fatal(err)
	}
	to := target.Folder(t.TempDir())
	publishTo(t, to, old, publish.Options{})
	m, err := manifests.ParseManifest([]byte(read(t, to, regions.ManifestKey)))
	if err != nil {
		t.Fatal(err)
	}
	l, err := m.Listing("amazon-ssm-agent", "amazon-ssm-agent-portable-linux-amd64.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	e, _ := l.Find(r.Version)
	dir := t.TempDir()
	if _, err := unpack.File(filepath.Join(r.Dir, "amazon-ssm-agent-portable-linux-amd64.tar.gz"), dir,
		unpack.Limits{File: e.UnpackedSize, Total: e.UnpackedSize}, nil); err != nil || e.UnpackedSize == 0 {
		t.Errorf("%d listed: %v", e.UnpackedSize, err)
	}
	if _, err := unpack.File(filepath.Join(r.Dir, "amazon-ssm-agent-portable-linux-amd64.tar.gz"), t.TempDir(),
		unpack.Limits{File: e.UnpackedSize, Total: e.UnpackedSize - 1}, nil); !errors.Is(err, unpack.ErrTooBig) {
		t.Errorf("one byte less: %v", err)
	}
}
