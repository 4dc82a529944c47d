package trust_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// small lists a small file and puts it where hosts with a root read it.
func (tr *tree) small(key, content string) {
	tr.t.Helper()
	tr.list(key, []byte(content), "")
	dir, name := "", key
	if at := strings.LastIndexByte(key, '/'); at >= 0 {
		dir, name = key[:at+1], key[at+1:]
	}
	sum := tr.targets.Signed.Targets[key].Hashes["sha256"].String()
	tr.objects[dir+sum+"."+name] = []byte(content)
}

// manifest lists two versions, of which the region signs one.
const manifest = `{"SchemaVersion":"1.0","UriFormat":"https://x/{PackageName}/{PackageVersion}/{FileName}","Packages":[{"Name":"amazon-ssm-agent",` +
	`"Files":[{"Name":"a.tar.gz","AvailableVersions":[{"Version":"9.1.0.0","Checksum":"00","Size":1},{"Version":"9.9.0.0","Checksum":"` +
	`2222222222222222222222222222222222222222222222222222222222222222"}]}]}]}`

// world is a signed region behind http, and a host with its root.
type world struct {
	*tree
	place  trust.Place
	server *httptest.Server
	mutex  sync.Mutex
	asked  []string
	answer func(w http.ResponseWriter, key string) bool // an attacker's; false: the bucket answers
	good   map[string][]byte                            // the bucket as it was last released
}

func (w *world) release() {
	w.t.Helper()
	w.tree.release()
	w.good = w.copy()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{tree: newTree(t), place: trust.Place{Dir: filepath.Join(t.TempDir(), "trust")}}
	w.tree.small(regions.ManifestKey, manifest)
	w.tree.small(regions.LatestVersionKey, "9.1.0.0")
	w.release()
	must(t, w.place.Pin(w.objects["trust/1.root.json"]))
	w.server = httptest.NewServer(http.HandlerFunc(func(res http.ResponseWriter, req *http.Request) {
		w.mutex.Lock()
		defer w.mutex.Unlock()
		key := strings.TrimPrefix(req.URL.Path, "/")
		w.asked = append(w.asked, key)
		if w.answer != nil && w.answer(res, key) {
			return
		}
		b, ok := w.objects[key]
		if !ok {
			http.NotFound(res, req)
			return
		}
		_, _ = res.Write(b)
	}))
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) client() *bucket.Client {
	return bucket.New(bucket.Options{Base: w.server.URL, Retries: -1,
		Signed: w.place.Signed(trust.Watch{Now: func() time.Time { return today }})})
}

// install reads the region as an installation does; what it leaves lies in the folder that it returns.
func (w *world) install() (dir string, err error) {
	w.t.Helper()
	dir = w.t.(*testing.T).TempDir()
	c := w.client()
	m, err := c.Manifest(context.Background())
	if err != nil {
		return dir, err
	}
	l, err := m.Listing("amazon-ssm-agent", "a.tar.gz")
	if err != nil {
		return dir, err
	}
	e, _ := l.Find(l.LatestActive())
	sum, err := e.Sum()
	if err != nil {
		return dir, err
	}
	return dir, c.Fetch(context.Background(), bucket.Want{URL: c.FileURL("amazon-ssm-agent", l.LatestActive(), "a.tar.gz"),
		Path: filepath.Join(dir, "a.tar.gz"), SHA256: sum, Size: e.Size})
}

func TestAHostWithARootReadsWhatWasSignedAndNothingElse(t *testing.T) {
	w := newWorld(t)
	dir, err := w.install()
	must(t, err)
	if b, _ := os.ReadFile(filepath.Join(dir, "a.tar.gz")); string(b) != "a package" {
		t.Errorf("installed: %q", b)
	}
	v, err := w.client().Latest(context.Background())
	if err != nil || v.String() != "9.1.0.0" {
		t.Error("latest:", v, err)
	}
	m, err := w.client().Manifest(context.Background())
	must(t, err)
	e := m.Packages[0].Files[0].AvailableVersions
	if len(e) != 1 || e[0].Version != "9.1.0.0" || e[0].Size != 9 || e[0].UnpackedSize != 1000 || len(e[0].Checksum) != 64 {
		t.Errorf("the manifest counts as %+v", e)
	}
	for _, key := range w.asked {
		if key == regions.ManifestKey || key == regions.LatestVersionKey {
			t.Error("read by its unsigned name:", key)
		}
	}
	if trusted, err := w.client().Verified(context.Background()); err != nil || trusted.Root != 1 {
		t.Error("trust:", trusted, err)
	}
	if _, err := w.client().Stable(context.Background()); !errors.Is(err, bucket.ErrMissing) {
		t.Error("what is not listed is missing:", err)
	}
}

// The attackers of the issue. Each change is refused, nothing lies in the folder, and the host believes the good region afterwards.
func TestAttacksOnASignedRegion(t *testing.T) {
	for _, c := range []struct {
		name   string
		attack func(w *world, old map[string][]byte)
		want   error
	}{
		{"replayed", func(w *world, old map[string][]byte) { w.objects = old }, trust.ErrReplayed},
		{"replayed timestamp", func(w *world, old map[string][]byte) { w.objects["trust/timestamp.json"] = old["trust/timestamp.json"] },
			trust.ErrReplayed},
		{"frozen", func(w *world, _ map[string][]byte) {
			w.stamp.Signed.Expires = today.Add(-time.Hour)
			w.stamp.Signed.Version++
			w.publishTimestamp()
		}, trust.ErrExpired},
		{"mixed", func(w *world, old map[string][]byte) {
			w.release()
			w.objects["trust/4.snapshot.json"] = old["trust/2.snapshot.json"]
		}, trust.ErrMixed},
		{"tampered targets", func(w *world, _ map[string][]byte) {
			w.release()
			b := w.objects["trust/4.targets.json"]
			w.objects["trust/4.targets.json"] = []byte(strings.Replace(string(b), `"unpacked":1000`, `"unpacked":9999`, 1))
		}, trust.ErrMixed},
		{"tampered manifest", func(w *world, _ map[string][]byte) {
			w.answerSmall("."+regions.ManifestKey, strings.Replace(manifest, "9.1.0.0", "9.1.0.1", 1))
		}, bucket.ErrChecksum},
		{"tampered package", func(w *world, _ map[string][]byte) { w.answerSmall("a.tar.gz", "b package") }, bucket.ErrChecksum},
		{"oversized package", func(w *world, _ map[string][]byte) { w.answerSmall("a.tar.gz", strings.Repeat("x", 1<<20)) }, bucket.ErrSize},
		{"oversized timestamp", func(w *world, _ map[string][]byte) {
			w.answerSmall("timestamp.json", strings.Repeat(" ", trust.MaxTimestamp+1))
		}, bucket.ErrNotBucket},
		{"oversized targets", func(w *world, _ map[string][]byte) {
			w.release()
			w.answerSmall(".targets.json", strings.Repeat(" ", 1<<20))
		}, bucket.ErrNotBucket},
		{"endless root", func(w *world, _ map[string][]byte) { w.answerSmall(".root.json", strings.Repeat(" ", trust.MaxRoot+1)) },
			bucket.ErrNotBucket},
		{"stripped metadata", func(w *world, _ map[string][]byte) {
			for key := range w.objects {
				if strings.HasPrefix(key, "trust/") {
					delete(w.objects, key)
				}
			}
			w.objects[regions.ManifestKey] = []byte(manifest)
		}, trust.ErrUnsigned},
		{"stripped snapshot", func(w *world, _ map[string][]byte) {
			w.release()
			delete(w.objects, "trust/4.snapshot.json")
		}, trust.ErrUnsigned},
		{"stripped package", func(w *world, _ map[string][]byte) { delete(w.objects, "amazon-ssm-agent/9.1.0.0/a.tar.gz") }, bucket.ErrMissing},
		{"stolen timestamp key: an old snapshot", func(w *world, _ map[string][]byte) {
			w.stamp.Signed.Version = 50
			w.stamp.Signed.Meta["snapshot.json"].Version = 1
			w.publishTimestamp()
		}, trust.ErrReplayed},
		{"stolen timestamp key: a snapshot of its own", func(w *world, _ map[string][]byte) {
			w.stamp.Signed.Version, w.snap.Signed.Version = 50, 50
			w.signers["snapshot"] = w.signers["timestamp"]
			w.publishSnapshot()
		}, trust.ErrSignature},
		{"malicious mirror", func(w *world, _ map[string][]byte) {
			other := newTree(w.t)
			other.small(regions.ManifestKey, manifest)
			other.release()
			other.release()
			other.release()
			w.objects = other.objects
		}, trust.ErrSignature},
		{"malicious mirror with a root of its own", func(w *world, _ map[string][]byte) {
			other := newTree(w.t)
			other.nextRoot(func() {})
			other.release()
			w.objects = other.objects
		}, trust.ErrSignature},
		{"login page", func(w *world, _ map[string][]byte) { w.answerSmall("", "<html>please log in</html>") }, trust.ErrFormat},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			old := w.copy()
			w.release()
			if _, err := w.install(); err != nil {
				t.Fatal(err)
			}
			c.attack(w, old)
			dir, err := w.install()
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want: %v", err, c.want)
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 && !errors.Is(c.want, bucket.ErrMissing) {
				t.Error("left behind:", left)
			}
			w.answer, w.objects = nil, w.good
			if _, err := w.install(); err != nil && !strings.HasPrefix(c.name, "frozen") && !strings.HasPrefix(c.name, "stolen") {
				t.Error("the good region is not believed afterwards:", err)
			}
		})
	}
}

// answerSmall answers every name with this end.
func (w *world) answerSmall(end, content string) {
	w.answer = func(res http.ResponseWriter, key string) bool {
		if !strings.HasSuffix(key, end) {
			return false
		}
		res.Header().Set("Content-Length", strconv.Itoa(len(content)))
		_, _ = res.Write([]byte(content))
		return true
	}
}

func TestAManifestThatSaysOtherThanTheSignedListIsNotFollowed(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	other, err := manifests.ParseSum(strings.Repeat("2", 64))
	must(t, err)
	v, err := manifests.ParseVersion("9.1.0.0")
	must(t, err)
	path := filepath.Join(t.TempDir(), "x")
	want := bucket.Want{URL: c.FileURL("amazon-ssm-agent", v, "a.tar.gz"), Path: path, SHA256: other}
	if err := c.Fetch(context.Background(), want); !errors.Is(err, bucket.ErrChecksum) {
		t.Error("another hash:", err)
	}
	want = bucket.Want{URL: c.FileURL("amazon-ssm-agent", v, "other.tar.gz"), Path: path, SHA256: other}
	if err := c.Fetch(context.Background(), want); !errors.Is(err, bucket.ErrNotSigned) {
		t.Error("not listed:", err)
	}
	if err := c.FetchUnlisted(context.Background(), "amazon-ssm-agent/9.1.0.0/other.tar.gz", path, nil); !errors.Is(err, bucket.ErrNotSigned) {
		t.Error("unlisted:", err)
	}
	want = bucket.Want{URL: "https://elsewhere.example/a.tar.gz", Path: path, SHA256: other}
	if err := c.Fetch(context.Background(), want); !errors.Is(err, bucket.ErrNotSigned) {
		t.Error("elsewhere:", err)
	}
}

func TestARootStaysUntilItIsCleared(t *testing.T) {
	w := newWorld(t)
	other := newTree(t)
	if err := w.place.Pin(other.objects["trust/1.root.json"]); !errors.Is(err, trust.ErrOtherRoot) {
		t.Error("another root:", err)
	}
	must(t, w.place.Pin(w.objects["trust/1.root.json"]))
	for _, name := range []string{"root.json", "pin.json"} {
		must(t, os.WriteFile(filepath.Join(w.place.Dir, name), []byte("{}"), 0o600))
	}
	if _, err := w.install(); !errors.Is(err, trust.ErrRoot) {
		t.Error("a host whose root is damaged:", err)
	}
	must(t, os.Remove(filepath.Join(w.place.Dir, "root.json")))
	must(t, os.Remove(filepath.Join(w.place.Dir, "pin.json")))
	if _, err := w.install(); !errors.Is(err, trust.ErrRoot) {
		t.Error("a host whose root is gone:", err)
	}
	must(t, w.place.Clear())
	if w.place.Signed(trust.Watch{}) != nil {
		t.Error("a host without a root verifies")
	}
	must(t, w.place.Pin(other.objects["trust/1.root.json"]))
}

func TestADamagedRootIsReplacedFromThePinnedOne(t *testing.T) {
	w := newWorld(t)
	w.nextRoot(func() { w.rotate("root") })
	_, err := w.install()
	must(t, err)
	must(t, os.WriteFile(filepath.Join(w.place.Dir, "root.json"), []byte("torn"), 0o600))
	_, err = w.install()
	must(t, err)
	s, err := w.place.Load()
	must(t, err)
	if f, err := s.Facts(); err != nil || f.Root != 2 {
		t.Error("root after it:", f.Root, err)
	}
}

func TestAFolderThatOthersMayChangeIsNotRead(t *testing.T) {
	w := newWorld(t)
	loose := errors.New("others may write it")
	w.place.Guard = func(string) error { return loose }
	if _, err := w.install(); !errors.Is(err, loose) {
		t.Error("got", err)
	}
}

func TestWhatWasSeenOutlivesTheProcess(t *testing.T) {
	w := newWorld(t)
	w.stamp.Signed.UnrecognizedFields = map[string]any{"x-ssm-signed": "2026-11-30T00:00:00Z"}
	w.release()
	_, err := w.install()
	must(t, err)
	asked := len(w.asked)
	s, err := w.place.Load()
	must(t, err)
	f, err := s.Facts()
	must(t, err)
	if f.Root != 1 || len(f.Roles) != 4 || f.Seen.Format(time.DateOnly) != "2026-11-30" {
		t.Errorf("facts: %+v", f)
	}
	if len(w.asked) != asked {
		t.Error("facts were asked of the region")
	}
	if _, err := w.client().Verified(context.Background()); err != nil {
		t.Fatal(err)
	}
	if more := w.asked[asked:]; len(more) != 2 { // the next root, the timestamp
		t.Error("a look where nothing is new asks for", more)
	}
}

func TestAnOlderStateDoesNotReplaceALaterOne(t *testing.T) {
	w := newWorld(t)
	early, err := w.place.Load()
	must(t, err)
	w.accepted(early)
	w.nextRoot(func() { w.rotate("root") })
	w.release()
	_, err = w.install()
	must(t, err)
	must(t, w.place.Save(early)) // a process that began before
	s, err := w.place.Load()
	must(t, err)
	f, err := s.Facts()
	must(t, err)
	if f.Root != 2 || f.Roles[1].Version != 3 {
		t.Errorf("facts: %+v", f)
	}
}

func TestWarningsComeInTime(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		life, left time.Duration
		step       int
	}{
		{365 * day, 91 * day, 0}, {365 * day, 90 * day, 1}, {365 * day, 30 * day, 2}, {365 * day, 7 * day, 3}, {365 * day, 0, 4},
		{9 * day, 4 * day, 0}, {9 * day, 3 * day, 1}, {9 * day, 0, 4}, {day, 9 * time.Hour, 0}, {day, 8 * time.Hour, 1},
	} {
		r := trust.RoleFact{Name: "timestamp", Expires: today.Add(c.left), Signed: today.Add(c.left - c.life)}
		if _, step := r.Left(today); step != c.step {
			t.Errorf("life %v, left %v: %d, want %d", c.life, c.left, step, c.step)
		}
		f := trust.Facts{Roles: []trust.RoleFact{r}}
		if lines := f.Warnings(today); (len(lines) > 0) != (c.step > 0) {
			t.Errorf("life %v, left %v: %q", c.life, c.left, lines)
		}
	}
}
