package publish_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// parts are the keys of uploads that are not completed.
func parts(t *testing.T, r *local.Region) (client *s3.Client, keys func() []string) {
	t.Helper()
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion(r.Name()))
	if err != nil {
		t.Fatal(err)
	}
	url, bucket := r.URL(), regions.Bucket(r.Name())
	client = s3.NewFromConfig(cfg, func(o *s3.Options) { o.BaseEndpoint, o.UsePathStyle = &url, true })
	return client, func() (keys []string) {
		out, err := client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket})
		if err != nil {
			t.Fatal(err)
		}
		for _, up := range out.Uploads {
			keys = append(keys, *up.Key)
		}
		slices.Sort(keys)
		return keys
	}
}

// What a run has under way stays while it lives, and goes soon after it was killed: a marker in the bucket tells the two apart. Here the
// connection of the first run is cut, so that nothing of what it does at its end reaches the bucket.
func TestPartsOfAKilledPublicationGoWithTheNextAndThoseOfALiveOneStay(t *testing.T) {
	var dead atomic.Bool
	sending, killed := make(chan struct{}, 100), make(chan struct{})
	r, first := region(t, func(p *target.BucketOptions) {
		at, err := url.Parse(p.Endpoint)
		if err != nil {
			t.Fatal(err)
		}
		through := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = at.Scheme, at.Host, r.In.Host
		}}
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("partNumber") {
				sending <- struct{}{}
				<-killed
			}
			if dead.Load() {
				panic(http.ErrAbortHandler)
			}
			through.ServeHTTP(w, r)
		}))
		t.Cleanup(proxy.Close)
		p.Endpoint = proxy.URL
	})
	second, err := target.Bucket(t.Context(), target.BucketOptions{Region: r.Name(), Endpoint: r.URL(), Bucket: regions.Bucket(r.Name())})
	if err != nil {
		t.Fatal(err)
	}
	_, uploads := parts(t, r)
	const key = "amazon-ssm-agent/9.0.0.0/large"
	done := make(chan error, 1)
	go func() {
		ctx := context.WithoutCancel(t.Context())
		done <- first.Write(ctx, key, bytes.NewReader(large()), host.SHA256Bytes(large()), target.When{Absent: true})
	}()
	select {
	case <-sending:
	case err := <-done:
		t.Fatalf("the first run ended early: %v", err)
	}
	publishTo(t, second, release(t, "9.1.0.0", "a"), publish.Options{Region: r.Name()})
	if got := uploads(); !slices.Equal(got, []string{key}) {
		t.Errorf("of a live run are left: %v", got)
	}

	dead.Store(true)
	close(killed)
	if err := <-done; err == nil {
		t.Fatal("what was cut off succeeded")
	}
	markers, err := r.Keys("ssm-setup-uploads/")
	if err != nil || len(markers) != 1 || !slices.Equal(uploads(), []string{key}) {
		t.Fatalf("of the killed run are left: %v, %v, %v", uploads(), markers, err)
	}
	marker, err := r.Get(markers[0])
	if err != nil {
		t.Fatal(err)
	}
	r.Advance(-6 * time.Minute)
	if err := r.Put(markers[0], marker); err != nil {
		t.Fatal(err)
	}
	r.Advance(6 * time.Minute)
	publishTo(t, second, release(t, "9.2.0.0", "b"), publish.Options{Region: r.Name()})
	if markers, err = r.Keys("ssm-setup-uploads/"); err != nil || len(markers)+len(uploads()) > 0 {
		t.Errorf("left: %v, %v, %v", uploads(), markers, err)
	}
}

// What was completed or given up leaves no marker.
func TestNoMarkerIsLeftOfWhatWentWell(t *testing.T) {
	r, to := region(t)
	for _, key := range []string{"one", "two"} {
		if err := to.Write(t.Context(), key, bytes.NewReader(large()), host.SHA256Bytes(large()), target.When{Absent: true}); err != nil {
			t.Fatal(err)
		}
	}
	if keys, err := r.Keys("ssm-setup-"); err != nil || len(keys) > 0 {
		t.Errorf("left: %v, %v", keys, err)
	}
}

// Parts that a killed publication left are removed by one that comes later; not those of another that may be at work, nor what other
// programs keep in the bucket. A dry run removes nothing.
func TestPartsOfKilledPublicationsAreRemovedByALaterOne(t *testing.T) {
	r, to := region(t)
	client, uploads := parts(t, r)
	bucket := regions.Bucket(r.Name())
	begin := func(keys ...string) {
		for _, key := range keys {
			if _, err := client.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key}); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.Advance(-3 * time.Hour)
	begin("amazon-ssm-agent/9.0.9.0/old", "9.0.9.0/linux_amd64/old", "ssm-setup/9.0.9.0/old", "others/old", "old", "latest-news/old")
	r.Advance(3 * time.Hour)
	begin("amazon-ssm-agent/9.1.0.0/young")
	publishTo(t, to, release(t, "9.1.0.0", "a"), publish.Options{Region: r.Name(), DryRun: true})
	if got := uploads(); len(got) != 7 {
		t.Errorf("after a dry run: %v", got)
	}
	publishTo(t, to, release(t, "9.1.0.0", "a"), publish.Options{Region: r.Name()})
	if got, want := uploads(), []string{"amazon-ssm-agent/9.1.0.0/young", "latest-news/old", "old", "others/old"}; !slices.Equal(got, want) {
		t.Errorf("left: %v, want %v", got, want)
	}
}
