package publish_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// region is a local region and its bucket as a target.
func region(t *testing.T, change ...func(*target.BucketOptions)) (*local.Region, target.Target) {
	t.Helper()
	r := local.Start(t)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", r.CredentialsFile())
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	p := target.BucketOptions{Region: r.Name(), Endpoint: r.URL(), Bucket: regions.Bucket(r.Name()), Tries: 4, Pause: time.Millisecond}
	for _, c := range change {
		c(&p)
	}
	to, err := target.Bucket(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r, to
}

func large() []byte { return bytes.Repeat([]byte("0123456789abcdef"), 5<<20/2) } // 40 MiB

// A large object goes up in parts, over passing faults; its hash and content are as written.
func TestALargeObjectGoesUpInPartsOverPassingFaults(t *testing.T) {
	r, to := region(t)
	content := large()
	r.Break("UploadPart", 2, 503, "")
	r.Break("CompleteMultipartUpload", 1, 503, "")
	if err := to.Write(context.Background(), "large", bytes.NewReader(content), host.SHA256Bytes(content),
		target.When{Absent: true}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal([]byte(read(t, to, "large")), content) {
		t.Error("other content")
	}
	o, err := to.Stat(context.Background(), "large")
	if err != nil || o.Size != int64(len(content)) || o.SHA256 != sum(string(content)) {
		t.Errorf("%+v, %v", o, err)
	}
	if err := to.Write(context.Background(), "large", bytes.NewReader(content), host.SHA256Bytes(content),
		target.When{Absent: true}); !errors.Is(err, target.ErrChanged) {
		t.Errorf("over one that is there: %v", err)
	}
}

// Parts that fail for good leave no object.
func TestPartsThatFailForGoodLeaveNoObject(t *testing.T) {
	r, to := region(t)
	r.Break("CompleteMultipartUpload", -1, 403, "")
	if err := to.Write(context.Background(), "large", bytes.NewReader(large()), host.SHA256Bytes(large()), target.When{}); !errors.Is(err,
		target.ErrDenied) {
		t.Error(err)
	}
	r.Mend()
	if _, err := to.Stat(context.Background(), "large"); !errors.Is(err, target.ErrAbsent) {
		t.Error(err)
	}
}

// Bytes other than those that a release was checked with never reach the bucket, in one part or in several.
func TestABucketIsNotSentOtherBytes(t *testing.T) {
	_, to := region(t)
	for name, content := range map[string][]byte{"small": []byte("changed"), "large": large()} {
		if err := to.Write(t.Context(), name, bytes.NewReader(content), sum("as checked"), target.When{}); !errors.Is(err, target.ErrBody) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := to.Stat(t.Context(), name); !errors.Is(err, target.ErrAbsent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAWriteUnderAConditionReplacesOnlyWhatWasRead(t *testing.T) {
	ctx := context.Background()
	r, to := region(t)
	write := func(text string, when target.When) error {
		return to.Write(ctx, "key", strings.NewReader(text), sum(text), when)
	}
	if err := write("one", target.When{Absent: true}); err != nil {
		t.Fatal(err)
	}
	body, tag, err := to.Read(ctx, "key")
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, body)
	body.Close()
	if err := write("two", target.When{Absent: true}); !errors.Is(err, target.ErrChanged) {
		t.Errorf("absent: %v", err)
	}
	if err := write("two", target.When{Tag: tag}); err != nil {
		t.Errorf("same: %v", err)
	}
	if err := write("three", target.When{Tag: tag}); !errors.Is(err, target.ErrChanged) {
		t.Errorf("changed: %v", err)
	}
	r.DropConnections(2)
	r.Break("PutObject", 1, 500, "")
	if err := write("four", target.When{}); err != nil || read(t, to, "key") != "four" {
		t.Errorf("over faults: %v", err)
	}
}

func TestARefusingBucketIsToldByItsKind(t *testing.T) {
	ctx := context.Background()
	one := release(t, "9.1.0.0", "one")
	o := publish.Options{UriFormat: template, Repositories: true}
	// A region each, which stays as it is: a request that the publication gave up may reach it later.
	refused := func(name string, want error, refuse func(*local.Region)) {
		r, to := region(t)
		refuse(r)
		if _, err := publish.Publish(ctx, to, one, o); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		if keys, _ := r.Keys(""); len(keys) != 0 {
			t.Errorf("%s, and written: %v", name, keys)
		}
	}
	refused("denied", target.ErrDenied, func(r *local.Region) { r.Break("PutObject", -1, 403, "AccessDenied") })
	for status, want := range map[int]error{503: target.ErrFaulty, 500: target.ErrFaulty, 501: target.ErrUnable, 412: target.ErrChanged} {
		refused(strconv.Itoa(status), want, func(r *local.Region) { r.Break("PutObject", -1, status, "") })
	}
	refused("no connection", bucket.ErrUnreachable, func(r *local.Region) { r.DropConnections(-1) })
	r, _ := region(t)
	nowhere, err := target.Bucket(ctx, target.BucketOptions{Region: r.Name(), Endpoint: r.URL(), Bucket: "nowhere-at-all"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := publish.Publish(ctx, nowhere, one, o); !errors.Is(err, target.ErrNoBucket) {
		t.Errorf("no bucket: %v", err)
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	if _, err := target.Bucket(ctx, target.BucketOptions{Region: r.Name(), Endpoint: r.URL(), Bucket: "b"}); !errors.Is(err,
		target.ErrCredentials) {
		t.Errorf("no credentials: %v", err)
	}
}

// The same as in a folder: stopped anywhere, the bucket serves the old release whole, and the next run finishes.
func TestAPublicationIntoABucketThatStopsAnywhereIsFinishedByTheNext(t *testing.T) {
	one, two := release(t, "9.1.0.0", "one"), release(t, "9.2.0.0", "two")
	o := publish.Options{UriFormat: template, Repositories: true, Sign: &key{}}
	_, to := region(t)
	publishTo(t, to, one, o)
	for range 100 { // each run goes on where the one before broke off
		var n atomic.Int64
		broken := &recorder{Target: to, before: func(string) error {
			if n.Add(1) > 3 {
				return errors.New("power cut")
			}
			return nil
		}}
		if _, err := publish.Publish(context.Background(), broken, two, o); err == nil {
			break
		}
		whole(t, to, "9.1.0.0")
	}
	whole(t, to, "9.2.0.0")
}

// What was written and does not come back as it was stops the publication before anything names it.
func TestAnObjectThatReadsBackOtherwiseStopsThePublication(t *testing.T) {
	r, to := region(t)
	damaged := "amazon-ssm-agent/9.1.0.0/amazon-ssm-agent-debian-amd64.deb"
	meddler := &after{Target: to, then: func(key string) {
		if key == damaged {
			if err := r.Corrupt(key); err != nil {
				t.Error(err)
			}
		}
	}}
	_, err := publish.Publish(context.Background(), meddler, release(t, "9.1.0.0", "one"), publish.Options{UriFormat: template})
	if !errors.Is(err, target.ErrDiffers) {
		t.Error(err)
	}
	if _, err := r.Get(regions.ManifestKey); err == nil {
		t.Error("the manifest was written")
	}
	// It says that it is what it must be, so it may be written anew.
	if res := publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{}); !slices.ContainsFunc(res.Steps, func(s publish.Step) bool {
		return s.Key == damaged && s.Action == publish.Repaired
	}) {
		t.Errorf("%+v", res.Steps)
	}
}

// after does something after each write.
type after struct {
	target.Target
	then func(key string)
}

func (a *after) Write(ctx context.Context, key string, body io.ReadSeeker, sum string, when target.When) error {
	err := a.Target.Write(ctx, key, body, sum, when)
	a.then(key)
	return err
}

// A bucket that says "conflict" while another write is under way is asked again; when it goes on saying so, another publication is
// at work there.
func TestAConflictIsAskedAgainThenTold(t *testing.T) {
	ctx := context.Background()
	r, to := region(t)
	one := release(t, "9.1.0.0", "one")
	r.Break("PutObject", 3, 409, "ConditionalRequestConflict")
	if _, err := publish.Publish(ctx, to, one, publish.Options{UriFormat: template}); err != nil {
		t.Errorf("a passing conflict: %v", err)
	}
	r.Break("PutObject", -1, 409, "ConditionalRequestConflict")
	if _, err := publish.Publish(ctx, to, release(t, "9.2.0.0", "two"), publish.Options{UriFormat: template}); !errors.Is(err,
		target.ErrChanged) {
		t.Error(err)
	}
	r.Mend()
	if got := read(t, to, regions.LatestVersionKey); got != "9.1.0.0\n" {
		t.Errorf("VERSION is %q", got)
	}
}

// Publications at the same time, each by itself: all are in the manifest, the newest is the latest, and the repositories have
// them all.
func TestPublicationsAtTheSameTimeAreAllListed(t *testing.T) {
	_, to := region(t)
	versions := []string{"9.1.0.0", "9.2.0.0", "9.3.0.0"}
	var group errgroup.Group
	for _, v := range versions {
		one := release(t, v, v)
		group.Go(func() error {
			for {
				_, err := publish.Publish(context.Background(), to, one, publish.Options{UriFormat: template, Repositories: true, Sign: &key{}})
				if !errors.Is(err, target.ErrChanged) { // "run it again", as the hint says
					return err
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	whole(t, to, "9.3.0.0")
	for _, v := range versions {
		if !strings.Contains(read(t, to, regions.ManifestKey), `"`+v+`"`) || !strings.Contains(read(t, to, publish.FeedKey), v) {
			t.Errorf("%s is lost", v)
		}
	}
}

// An upload whose completion got through while its answer was lost is gone when it is asked for again: no reason to stop.
func TestAnUploadThatIsCompletedAlreadyIsNoError(t *testing.T) {
	r, to := region(t)
	dir, v := t.TempDir(), manifests.MustVersion("9.1.0.0")
	if err := os.WriteFile(filepath.Join(dir, "ssm-setup-linux-amd64"), large(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := build.Index(dir, v); err != nil {
		t.Fatal(err)
	}
	one, err := dist.Open(dir, v)
	if err != nil {
		t.Fatal(err)
	}
	r.Break("CompleteMultipartUpload", 1, 404, "NoSuchUpload")
	publishTo(t, to, one, publish.Options{})
	if got := sum(read(t, to, "ssm-setup/9.1.0.0/ssm-setup-linux-amd64")); got != one.Files[0].SHA256 {
		t.Error("other content")
	}
}

// A bucket that lies in another region answers with a redirection, or, where its own region is asked with another's signature, so that it
// is wrong. S3 says in both which region it is.
func TestABucketInAnotherRegionIsToldWithThatRegion(t *testing.T) {
	r, _ := region(t)
	moved := func(header string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amz-Bucket-Region", header)
			w.WriteHeader(http.StatusMovedPermanently)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	for endpoint, named := range map[string]bool{r.URL(): true, moved(r.Name()): true, moved(""): false} {
		to, err := target.Bucket(t.Context(), target.BucketOptions{Region: "eu-west-1", Endpoint: endpoint, Bucket: "amazon-ssm-local", Tries: 1})
		if err != nil {
			t.Fatal(err)
		}
		_, err = publish.Publish(t.Context(), to, release(t, "9.1.0.0", "one"), publish.Options{UriFormat: template})
		var e *bucket.Elsewhere
		if !named {
			if !errors.Is(err, target.ErrNoBucket) {
				t.Error(err)
			}
			continue
		}
		if !errors.As(err, &e) || e.Region != r.Name() || !strings.Contains(fault.HintOf(err), "s3://amazon-ssm-local?region="+r.Name()) {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}
