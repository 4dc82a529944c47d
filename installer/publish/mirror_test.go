package publish_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// served is a folder behind a plain web server.
func served(t *testing.T, dir string) *bucket.Client {
	t.Helper()
	s := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(s.Close)
	return bucket.New(bucket.Options{Base: s.URL, Retries: -1})
}

func mirror(t *testing.T, from *bucket.Client, dir string, w publish.Wanted) (publish.Mirrored, error) {
	t.Helper()
	return publish.Mirror(context.Background(), from, target.Folder(dir), w, publish.Options{Region: "local", Repositories: true,
		Scratch: t.TempDir()})
}

// A mirror of a mirror is the same as the first one; statuses, documents and signatures come along.
func TestAMirrorServesWhatItsRegionServes(t *testing.T) {
	ctx, origin, o := context.Background(), t.TempDir(), publish.Options{UriFormat: template, Repositories: true}
	to := target.Folder(origin)
	one := release(t, "9.1.0.0", "one")
	deb := "amazon-ssm-agent-debian-amd64.deb"
	os.WriteFile(filepath.Join(one.Dir, deb+".sig"), []byte("signature"), 0o644)
	one, err := dist.Open(one.Dir, manifests.Version{})
	if err != nil {
		t.Fatal(err)
	}
	publishTo(t, to, one, o)
	publishTo(t, to, release(t, "9.2.0.0", "two"), o)
	publishTo(t, to, release(t, "9.3.0.0", "three"), o)
	for v, status := range map[string]string{"9.1.0.0": manifests.Deprecated, "9.3.0.0": manifests.Inactive} {
		if _, err := publish.Mark(ctx, to, manifests.MustVersion(v), status, o); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := publish.Promote(ctx, to, manifests.MustVersion("9.2.0.0"), o); err != nil {
		t.Fatal(err)
	}
	all := publish.Wanted{Versions: []manifests.Version{manifests.MustVersion("9.3.0.0"), manifests.MustVersion("9.1.0.0"),
		manifests.MustVersion("9.2.0.0")}}
	from := origin
	for range 2 {
		dir := t.TempDir()
		res, err := mirror(t, served(t, from), dir, all)
		if err != nil {
			t.Fatal(err)
		}
		at := target.Folder(dir)
		if len(res.Versions) != 3 || res.Latest.String() != "9.2.0.0" || res.Stable.String() != "9.2.0.0" ||
			read(t, at, regions.LatestVersionKey) != "9.2.0.0\n" {
			t.Errorf("%+v", res)
		}
		if read(t, at, regions.ManifestKey) != read(t, to, regions.ManifestKey) {
			t.Errorf("the manifest differs\n%s", read(t, at, regions.ManifestKey))
		}
		for _, key := range []string{"9.1.0.0/SHA256SUMS", "9.1.0.0/debian_amd64/amazon-ssm-agent.deb.sig", "amazon-ssm-agent/9.1.0.0/" + deb +
			".sig",
			"dists/stable/main/binary-amd64/Packages"} {
			if read(t, at, key) != read(t, to, key) {
				t.Errorf("%s differs", key)
			}
		}
		from = dir
	}
}

// What is fetched is told as one thing: bytes that only grow, to a sum over all files of all versions, and never more than it.
func TestAMirrorsProgressIsOneSumOverAllFiles(t *testing.T) {
	origin, o := t.TempDir(), publish.Options{UriFormat: template}
	files := int64(0)
	for _, v := range []string{"9.1.0.0", "9.2.0.0"} {
		r := release(t, v, strings.Repeat(v, 1000))
		publishTo(t, target.Folder(origin), r, o)
		for _, f := range r.Files {
			if f.Package == "" {
				continue
			}
			info, err := os.Stat(filepath.Join(r.Dir, f.Name))
			if err != nil {
				t.Fatal(err)
			}
			files += info.Size()
		}
	}
	var told [][2]int64
	_, err := publish.Mirror(t.Context(), served(t, origin), target.Folder(t.TempDir()), publish.Wanted{Versions: []manifests.Version{
		manifests.MustVersion("9.1.0.0"), manifests.MustVersion("9.2.0.0")}}, publish.Options{Region: "local", Scratch: t.TempDir(),
		Progress: func(done, total int64) { told = append(told, [2]int64{done, total}) }})
	if err != nil || len(told) < 4 {
		t.Fatalf("%v, %v", told, err)
	}
	for n, at := range told {
		if at[0] > at[1] || n > 0 && at[0] < told[n-1][0] || at[1] > files+1 || n < len(told)-1 && at[0] == at[1] {
			t.Errorf("step %d of %d bytes: %v", n, files, told)
		}
	}
	if last := told[len(told)-1]; last != [2]int64{files, files} {
		t.Errorf("it ends at %v, and the files have %d bytes", last, files)
	}
}

// What the region thinks of a version by now, a mirror that has it thinks, too, whichever versions it is asked for.
func TestAMirrorFollowsTheStatusesOfItsRegion(t *testing.T) {
	ctx, origin, dir, o := context.Background(), t.TempDir(), t.TempDir(), publish.Options{UriFormat: template, Repositories: true}
	for _, v := range []string{"9.1.0.0", "9.2.0.0"} {
		publishTo(t, target.Folder(origin), release(t, v, v), o)
		if _, err := mirror(t, served(t, origin), dir, publish.Wanted{}); err != nil {
			t.Fatal(err)
		}
	}
	to := target.Folder(dir)
	for _, status := range []string{manifests.Inactive, manifests.Deprecated, manifests.Active} {
		if _, err := publish.Mark(ctx, target.Folder(origin), manifests.MustVersion("9.1.0.0"), status, o); err != nil {
			t.Fatal(err)
		}
		before := read(t, to, regions.ManifestKey)
		res, err := publish.Mirror(ctx, served(t, origin), to, publish.Wanted{}, publish.Options{Region: "local", Repositories: true,
			DryRun: true})
		if err != nil || read(t, to, regions.ManifestKey) != before {
			t.Errorf("%s, dry run: %v", status, err)
		}
		if res, err = mirror(t, served(t, origin), dir, publish.Wanted{}); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{regions.ManifestKey, "dists/stable/main/binary-amd64/Packages"} {
			if read(t, to, key) != read(t, target.Folder(origin), key) {
				t.Errorf("%s: %s is\n%s", status, key, read(t, to, key))
			}
		}
		if offered := strings.Contains(read(t, to, publish.FeedKey), "9.1.0.0"); offered && status == manifests.Inactive {
			t.Error("the feed names a version that was withdrawn")
		}
		if res, err = mirror(t, served(t, origin), dir, publish.Wanted{}); err != nil {
			t.Fatal(err)
		}
		for _, s := range res.Steps {
			if s.Action != publish.Same {
				t.Errorf("%s, once more: %+v", status, s)
			}
		}
	}
}

// Signed metadata comes along as it is, with the newest version only, too; twice is harmless. Without the newest version there
// is none: it would offer what is not there.
func TestAMirrorKeepsSignedMetadata(t *testing.T) {
	origin, o := t.TempDir(), publish.Options{UriFormat: template, Repositories: true, Sign: &key{}}
	publishTo(t, target.Folder(origin), release(t, "9.1.0.0", "one"), o)
	publishTo(t, target.Folder(origin), release(t, "9.2.0.0", "two"), o)
	dir := t.TempDir()
	for range 2 {
		res, err := mirror(t, served(t, origin), dir, publish.Wanted{Latest: true})
		if err != nil || !res.Signed {
			t.Fatal(res.Signed, err)
		}
		whole(t, target.Folder(dir), "9.2.0.0")
		for _, name := range []string{"dists/stable/InRelease", "dists/stable/Release.gpg", "dists/stable/main/binary-amd64/Packages.xz",
			"repodata/repomd.xml",
			"repodata/repomd.xml.asc", publish.KeyKey} {
			if read(t, target.Folder(dir), name) != read(t, target.Folder(origin), name) {
				t.Errorf("%s differs", name)
			}
		}
	}
	older := t.TempDir()
	res, err := mirror(t, served(t, origin), older, publish.Wanted{Versions: []manifests.Version{manifests.MustVersion("9.1.0.0")}})
	if err != nil || res.Signed {
		t.Fatal(res.Signed, err)
	}
	if _, err := os.Stat(filepath.Join(older, "dists")); err == nil {
		t.Error("metadata was made without a signature")
	}
}

// Clients of a mirror trust the key that it gave them: another one is refused before anything is written, unless that is asked for.
func TestAMirrorFollowsNoChangedKeyUnlessAskedFor(t *testing.T) {
	origin := t.TempDir()
	with := func(owner string) publish.Options {
		return publish.Options{UriFormat: template, Repositories: true, Sign: &key{owner}, ChangeKey: true}
	}
	publishTo(t, target.Folder(origin), release(t, "9.1.0.0", "one"), with("old "))
	to, o := &recorder{Target: target.Folder(t.TempDir())}, publish.Options{Region: "local", Repositories: true, Scratch: t.TempDir()}
	copied := func() error {
		_, err := publish.Mirror(t.Context(), served(t, origin), to, publish.Wanted{Latest: true}, o)
		return err
	}
	if err := copied(); err != nil {
		t.Fatal(err)
	}
	publishTo(t, target.Folder(origin), release(t, "9.2.0.0", "two"), with("new "))
	to.writes = nil
	if err := copied(); !errors.Is(err, publish.ErrMirrorKey) || len(to.writes) > 0 {
		t.Errorf("%v, written %v", err, to.writes)
	}
	o.SharesKey = func(one, other []byte) bool { return string(one) == "old public" && string(other) == "new public" }
	if err := copied(); err != nil {
		t.Errorf("with one key in common: %v", err)
	}
	if read(t, to, publish.KeyKey) != "new public" {
		t.Error("the key is the old one")
	}
}

// What does not fit the manifest is refused, and the mirror stays as it is.
func TestAMirrorRefusesWhatDoesNotFitTheManifest(t *testing.T) {
	origin, dir := t.TempDir(), t.TempDir()
	publishTo(t, target.Folder(origin), release(t, "9.1.0.0", "one"), publish.Options{})
	if _, err := mirror(t, served(t, origin), dir, publish.Wanted{}); err != nil {
		t.Fatal(err)
	}
	publishTo(t, target.Folder(origin), release(t, "9.2.0.0", "two"), publish.Options{})
	os.WriteFile(filepath.Join(origin, "amazon-ssm-agent/9.2.0.0", manifests.PortableFile("linux", "amd64")), []byte("other"), 0o644)
	if _, err := mirror(t, served(t, origin), dir, publish.Wanted{}); err == nil {
		t.Error("a damaged region was mirrored")
	}
	if got := read(t, target.Folder(dir), regions.LatestVersionKey); got != "9.1.0.0\n" {
		t.Errorf("VERSION is %q", got)
	}
	if _, err := mirror(t, served(t, origin), dir,
		publish.Wanted{Versions: []manifests.Version{manifests.MustVersion("9.9.0.0")}}); !errors.Is(err, bucket.ErrMissing) {
		t.Errorf("a version that is not there: %v", err)
	}
	if _, err := mirror(t, served(t, t.TempDir()), dir, publish.Wanted{}); !errors.Is(err, bucket.ErrMissing) {
		t.Errorf("no region: %v", err)
	}
}

// The global copy can be ahead; then it stays.
func TestAGlobalCopyThatIsNewerStays(t *testing.T) {
	global := target.Folder(t.TempDir())
	publishTo(t, target.Folder(t.TempDir()), release(t, "9.2.0.0", "two"), publish.Options{Global: global})
	here := target.Folder(t.TempDir())
	publishTo(t, here, release(t, "9.1.0.0", "one"), publish.Options{Global: global})
	if read(t, global, regions.LatestVersionKey) != "9.2.0.0\n" || read(t, here, regions.LatestVersionKey) != "9.1.0.0\n" {
		t.Error("the global copy went back, or the region did not move")
	}
}

// deaf does what it is told and says that another publication was faster: what a retried conditional write looks like whose first
// answer was lost.
type deaf struct {
	target.Target
	mu   sync.Mutex
	told map[string]bool
}

func (d *deaf) Write(ctx context.Context, key string, body io.ReadSeeker, sum string, when target.When) error {
	if err := d.Target.Write(ctx, key, body, sum, when); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if when == (target.When{}) || d.told[key] {
		return nil
	}
	d.told[key] = true
	return target.ErrChanged
}

func TestAPublicationSurvivesLostAnswers(t *testing.T) {
	to := &deaf{Target: target.Folder(t.TempDir()), told: map[string]bool{}}
	publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{Repositories: true, Sign: &key{}})
	whole(t, to, "9.1.0.0")
	if len(to.told) < 10 {
		t.Errorf("only %d conditional writes", len(to.told))
	}
}

// Another publication that changes the manifest each time does not keep a publication busy for ever, and VERSION stays.
func TestAPublicationGivesUpOnAManifestThatChangesEachTime(t *testing.T) {
	dir := t.TempDir()
	n := 0
	to := &recorder{Target: target.Folder(dir), before: func(key string) error {
		if n++; key == regions.ManifestKey {
			m := manifests.NewManifest(strings.Repeat("x", n))
			return os.WriteFile(filepath.Join(dir, key), m.Bytes(), 0o644)
		}
		return nil
	}}
	_, err := publish.Publish(context.Background(), to, release(t, "9.1.0.0", "one"), publish.Options{UriFormat: template})
	if !errors.Is(err, target.ErrChanged) {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, regions.LatestVersionKey)); err == nil {
		t.Error("VERSION was written")
	}
}

// A run that broke off in the middle of a file is gone on with: not a byte is fetched twice.
func TestAMirrorGoesOnWhereItBrokeOff(t *testing.T) {
	origin, dir, scratch := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "unfinished")
	publishTo(t, target.Folder(origin), release(t, "9.1.0.0", strings.Repeat("long", 100_000)), publish.Options{})
	files := http.FileServer(http.Dir(origin))
	var cut atomic.Bool
	var ranges atomic.Int64
	file := "ssm-setup-linux-amd64"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if filepath.Base(r.URL.Path) == file {
			w.Header().Set("ETag", `"same"`)
			if r.Header.Get("Range") != "" {
				ranges.Add(1)
			}
			if cut.Load() {
				w = &cutter{w, 1000}
			}
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	run := func() error {
		_, err := publish.Mirror(context.Background(), bucket.New(bucket.Options{Base: s.URL, Retries: -1}), target.Folder(dir),
			publish.Wanted{},
			publish.Options{Region: "local", Scratch: scratch})
		return err
	}
	cut.Store(true)
	if err := run(); err == nil {
		t.Fatal("half a file passed")
	}
	if _, err := os.Stat(filepath.Join(dir, regions.LatestVersionKey)); err == nil {
		t.Fatal("half a mirror says that it has a version")
	}
	if info, err := os.Stat(filepath.Join(scratch, "9.1.0.0", file+".part")); err != nil || info.Size() != 1000 {
		t.Fatalf("%v, %v", info, err)
	}
	cut.Store(false)
	if err := run(); err != nil || ranges.Load() != 1 {
		t.Fatalf("%v, %d requests for the rest", err, ranges.Load())
	}
	if got := sum(read(t, target.Folder(dir), "ssm-setup/9.1.0.0/"+file)); got != sum(read(t, target.Folder(origin),
		"ssm-setup/9.1.0.0/"+file)) {
		t.Error("the file differs")
	}
	if _, err := os.Stat(scratch); err == nil {
		t.Error("the scratch folder is left")
	}
}

// cutter breaks a connection after some bytes.
type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(b []byte) (int, error) {
	if len(b) < c.left {
		c.left -= len(b)
		return c.ResponseWriter.Write(b)
	}
	c.ResponseWriter.Write(b[:c.left])
	c.ResponseWriter.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// Only what is wanted for some platforms is fetched; the region's list of sums comes along whole. Signed metadata that offers
// more than that is left away.
func TestAMirrorOfSomePlatformsFetchesOnlyThose(t *testing.T) {
	origin, dir := t.TempDir(), t.TempDir()
	publishTo(t, target.Folder(origin), releaseFor(t, "9.1.0.0", "one", pack.Platform{OS: "linux", Arch: "amd64"},
		pack.Platform{OS: "linux", Arch: "arm64"}),
		publish.Options{Repositories: true, Sign: &key{}})
	only := func(arch string) publish.Wanted {
		return publish.Wanted{Platforms: []pack.Platform{{OS: "linux", Arch: arch}}}
	}
	res, err := mirror(t, served(t, origin), dir, only("arm64"))
	if err != nil || res.Signed {
		t.Fatal(res.Signed, err)
	}
	at := target.Folder(dir)
	for _, s := range res.Steps {
		if strings.Contains(s.Key, "amd64") {
			t.Errorf("%s was not wanted", s.Key)
		}
	}
	read(t, at, "latest/debian_arm64/amazon-ssm-agent.deb")
	if read(t, at, "9.1.0.0/SHA256SUMS") != read(t, target.Folder(origin), "9.1.0.0/SHA256SUMS") {
		t.Error("the sums differ")
	}
	if _, err := mirror(t, served(t, origin), dir, only("386")); !errors.Is(err, bucket.ErrMissing) {
		t.Errorf("a platform that is not there: %v", err)
	}
	if res, err = mirror(t, served(t, origin), dir, publish.Wanted{}); err != nil || !res.Signed {
		t.Fatal(res.Signed, err)
	}
	whole(t, at, "9.1.0.0")
}
