package publish_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// counter is a region's bucket behind a proxy that counts the bytes of bodies on their way to it. copies, if set, answers requests for
// copies in the bucket's stead.
type counter struct {
	*local.Region
	endpoint string
	n        atomic.Int64
	copies   func(w http.ResponseWriter, from, to string)
}

func counted(t *testing.T) (*counter, target.Target) {
	t.Helper()
	c := &counter{}
	var to target.Target
	c.Region, to = region(t, func(p *target.BucketOptions) {
		at, err := url.Parse(p.Endpoint)
		if err != nil {
			t.Fatal(err)
		}
		through := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = at.Scheme, at.Host, r.In.Host
		}}
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if source := r.Header.Get("X-Amz-Copy-Source"); source != "" && c.copies != nil {
				in := regions.Bucket(c.Name()) + "/"
				c.copies(w, strings.TrimPrefix(source, in), strings.TrimPrefix(r.URL.Path, "/"+in))
				return
			}
			r.Body = counting{r.Body, &c.n}
			through.ServeHTTP(w, r)
		}))
		t.Cleanup(proxy.Close)
		p.Endpoint, c.endpoint = proxy.URL, proxy.URL
	})
	return c, to
}

type counting struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c counting) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// bulky is a release whose bytes do not compress, so that its packages outweigh what describes them.
func bulky(t *testing.T, version string) (r *dist.Release, once int64) {
	t.Helper()
	var b strings.Builder
	for i := range 3_000 {
		b.WriteString(host.SHA256Bytes([]byte{byte(i), byte(i >> 8), 7}))
	}
	r = releaseFor(t, version, b.String(), pack.Platforms()[:2]...)
	seen := map[string]bool{}
	for _, f := range slices.Concat(r.Files, r.Documents) {
		if !seen[f.SHA256] {
			once += f.Size
		}
		seen[f.SHA256] = true
	}
	return r, once
}

const overhead = 200 << 10 // manifest, metadata, feed, frames of chunks

// Each content of a release is sent to a bucket once; what lies under further keys the bucket copies, checksum and note included. A dry
// run says the same numbers before.
func TestEachContentIsSentToABucketOnce(t *testing.T) {
	r, to := counted(t)
	n := &r.n
	rel, once := bulky(t, "9.1.0.0")
	o := publish.Options{Region: r.Name(), Warn: func(text string) { t.Error(text) }}
	dry := o
	dry.DryRun = true
	said := publishTo(t, to, rel, dry).Traffic
	if n.Load() != 0 {
		t.Errorf("a dry run sent %d bytes", n.Load())
	}
	res := publishTo(t, to, rel, o)
	if got := n.Load(); got > once+overhead {
		t.Errorf("%d bytes were sent, the release's contents are %d", got, once)
	}
	if res.Traffic.Copied < once || said.Copied != res.Traffic.Copied || res.Traffic.Sent > n.Load() || said.Sent < once {
		t.Errorf("said %+v before, %+v after, contents are %d", said, res.Traffic, once)
	}
	for _, s := range res.Steps {
		if s.CopyOf == "" {
			continue
		}
		a, errA := to.Stat(t.Context(), s.Key)
		b, errB := to.Stat(t.Context(), s.CopyOf)
		if errA != nil || errB != nil || a != b || sum(read(t, to, s.Key)) != a.SHA256 {
			t.Errorf("%s %+v is no copy of %s %+v", s.Key, a, s.CopyOf, b)
		}
	}
	before := n.Load()
	again := publishTo(t, to, rel, o)
	want := publish.Traffic{Kept: res.Traffic.Sent + res.Traffic.Copied}
	if again.Traffic != want || n.Load() != before {
		t.Errorf("again: %+v, %d bytes", again.Traffic, n.Load()-before)
	}
}

// What a publication that broke off had sent is what the next one copies from; it does not send it again for a key that is missing.
func TestAnUnfinishedPublicationIsFinishedByCopies(t *testing.T) {
	r, to := counted(t)
	n := &r.n
	rel, _ := bulky(t, "9.1.0.0")
	publishTo(t, to, rel, publish.Options{Region: r.Name(), Repositories: true, Sign: &key{}})
	gone := []string{regions.LatestVersionKey, regions.ManifestKey}
	for _, f := range rel.Files {
		if len(f.Keys) > 1 {
			gone = append(gone, f.Keys[0])
		}
	}
	for _, key := range gone {
		if err := r.Delete(key); err != nil {
			t.Fatal(err)
		}
	}
	before := n.Load()
	res := publishTo(t, to, rel, publish.Options{Region: r.Name(), Repositories: true, Sign: &key{}})
	if res.Traffic.Copied == 0 || n.Load()-before > overhead {
		t.Errorf("%+v, %d bytes", res.Traffic, n.Load()-before)
	}
	whole(t, to, "9.1.0.0")
}

// Where a bucket may not read, or takes a copy for an upload of nothing, the bytes are sent again, and that is said once.
func TestWhatABucketDoesNotCopyIsSentAgainAndSaid(t *testing.T) {
	for name, refuse := range map[string]func(*counter){
		"reading is denied": func(r *counter) { r.Break("CopyObject", -1, 403, "AccessDenied") },
		"not implemented":   func(r *counter) { r.Break("CopyObject", -1, 501, "NotImplemented") },
		"uploads of nothing": func(r *counter) {
			r.copies = func(w http.ResponseWriter, _, to string) {
				if to == "ssm-setup-probe" {
					w.WriteHeader(http.StatusPreconditionFailed)
				} else if err := r.Put(to, nil); err != nil {
					w.WriteHeader(http.StatusInternalServerError)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, to := counted(t)
			refuse(r)
			rel, once := bulky(t, "9.1.0.0")
			var warnings []string
			res := publishTo(t, to, rel, publish.Options{Repositories: true, Sign: &key{},
				Warn: func(text string) { warnings = append(warnings, text) }})
			if len(warnings) != 1 || !strings.Contains(warnings[0], "is sent again") || res.Traffic.Copied != 0 || res.Traffic.Sent < 2*once {
				t.Errorf("%q, %+v", warnings, res.Traffic)
			}
			whole(t, to, "9.1.0.0")
		})
	}
}

// A bucket that keeps the conditions of uploads and ignores those of copies, as some stores do, is found out by a request of its own.
func TestABucketThatIgnoresTheConditionsOfCopiesMakesNoneThatNeedThem(t *testing.T) {
	r, to := counted(t)
	r.copies = func(w http.ResponseWriter, from, to string) {
		b, err := r.Get(from)
		if err == nil {
			err = r.Put(to, b)
		}
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, "<CopyObjectResult><ETag>x</ETag></CopyObjectResult>")
	}
	rel, _ := bulky(t, "9.1.0.0")
	var warnings []string
	res := publishTo(t, to, rel, publish.Options{Region: r.Name(), Repositories: true, Sign: &key{},
		Warn: func(text string) { warnings = append(warnings, text) }})
	if len(warnings) != 1 || !strings.Contains(warnings[0], "conditions of copies") || res.Traffic.Copied == 0 {
		t.Errorf("%q, %+v", warnings, res.Traffic)
	}
	for _, s := range res.Steps {
		if s.CopyOf != "" && !strings.HasPrefix(s.Key, "latest/") {
			t.Errorf("%s was copied without a condition", s.Key)
		}
	}
	if keys, err := r.Keys("ssm-setup-probe"); err != nil || len(keys) > 0 {
		t.Errorf("left: %v, %v", keys, err)
	}
	whole(t, to, "9.1.0.0")
}

// A copy whose answer was lost was made; one that another publisher was faster with is not written over.
func TestACopyKeepsItsCondition(t *testing.T) {
	r, to := region(t)
	for key, text := range map[string]string{"a": "one", "b": "two"} {
		if err := r.Put(key, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	err := to.Copy(t.Context(), to, "a", "b", sum("one"), target.When{Absent: true})
	if !errors.Is(err, target.ErrChanged) || read(t, to, "b") != "two" {
		t.Errorf("%v, %q", err, read(t, to, "b"))
	}
	if err := to.Copy(t.Context(), to, "a", "b", sum("one"), target.When{}); err != nil || read(t, to, "b") != "one" {
		t.Errorf("%v, %q", err, read(t, to, "b"))
	}
	if err := to.Copy(t.Context(), to, "a", "c", sum("other"), target.When{}); !errors.Is(err, target.ErrDiffers) {
		t.Errorf("other bytes than were wanted: %v", err)
	}
	dir := target.Folder(t.TempDir())
	if err := to.Copy(t.Context(), dir, "a", "d", sum("one"), target.When{}); !errors.Is(err, target.ErrUncopied) {
		t.Errorf("from a folder: %v", err)
	}
}

// In a folder the further names of a file are links: they cost no bytes. Replacing one leaves the others as they are.
func TestInAFolderFurtherNamesAreLinks(t *testing.T) {
	dir := t.TempDir()
	to := target.Folder(dir)
	one, once := bulky(t, "9.1.0.0")
	res := publishTo(t, to, one, publish.Options{Repositories: true, Sign: &key{}})
	if res.Traffic.Sent > once+overhead || res.Traffic.Copied < once {
		t.Errorf("%+v, contents are %d", res.Traffic, once)
	}
	file := func(key string) os.FileInfo {
		info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(key)))
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	latest, fixed := "latest/debian_amd64/amazon-ssm-agent.deb", "9.1.0.0/debian_amd64/amazon-ssm-agent.deb"
	if !os.SameFile(file(latest), file(fixed)) {
		t.Error("latest/ is a file of its own")
	}
	before := read(t, to, fixed)
	publishTo(t, to, release(t, "9.2.0.0", "two"), publish.Options{Repositories: true, Sign: &key{}})
	if os.SameFile(file(latest), file(fixed)) || read(t, to, fixed) != before {
		t.Error("the older version changed with latest/")
	}
	whole(t, to, "9.2.0.0")
	left, _ := filepath.Glob(filepath.Join(dir, "*", "*", ".*"))
	if len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// The global copy is made from the region's bucket, without sending anything.
func TestTheGlobalCopyIsMadeFromTheRegionsBucket(t *testing.T) {
	r, to := counted(t)
	n := &r.n
	global, err := target.Bucket(context.Background(), target.BucketOptions{Region: r.Name(), Endpoint: r.endpoint,
		Bucket: regions.GlobalBucket, Prefix: "SSMAgent"})
	if err != nil {
		t.Fatal(err)
	}
	rel, once := bulky(t, "9.1.0.0")
	res := publishTo(t, to, rel, publish.Options{Region: r.Name(), Global: global})
	if n.Load() > once+overhead {
		t.Errorf("%d bytes were sent, contents are %d", n.Load(), once)
	}
	if i := slices.IndexFunc(res.Steps, func(s publish.Step) bool { return s.Global && s.CopyOf != "" }); i < 0 {
		t.Error("no copy in the global bucket")
	}
	key := "latest/debian_amd64/amazon-ssm-agent.deb"
	if read(t, global, key) != read(t, to, key) {
		t.Error("another content")
	}
}
