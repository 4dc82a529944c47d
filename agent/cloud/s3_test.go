package cloud_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

func objects(t *testing.T, r *local.Region) *cloud.S3 {
	t.Helper()
	admin := r.Admin()
	return cloud.NewS3(cloud.S3Options{Region: r.Name(), Endpoint: r.URL(), UserAgent: "a/1",
		Credentials: static(admin.AccessKeyID, admin.SecretAccessKey, admin.SessionToken),
		Pause:       func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
}

func TestObjectsInARegion(t *testing.T) {
	r := local.Start(t)
	s := objects(t, r)
	bucket := "amazon-ssm-" + r.Name()
	for key, text := range map[string]string{"a/b c+d=é&.txt": "text", "empty": "", "big": strings.Repeat("x", 1<<20)} {
		o, err := s.Put(
			t.Context(),
			bucket,
			key,
			strings.NewReader(text),
			cloud.PutOptions{ContentType: "text/plain", ACL: "bucket-owner-full-control"},
		)
		if err != nil || o.Body != nil {
			t.Fatal(key, err)
		}
		if stored, err := r.Get(key); err != nil || string(stored) != text {
			t.Errorf("%s: %q %v", key, stored, err)
		}
		o, err = s.Get(t.Context(), bucket, key)
		if err != nil {
			t.Fatal(key, err)
		}
		got, _ := io.ReadAll(o.Body)
		o.Body.Close()
		if string(got) != text || o.Size != int64(len(text)) {
			t.Errorf("%s: %d bytes, size %d", key, len(got), o.Size)
		}
		if o, err := s.Head(t.Context(), bucket, key); err != nil || o.Size != int64(len(text)) {
			t.Error(key, o, err)
		}
	}
	r.Skew(2 * time.Hour)
	if _, err := objects(t, r).Put(t.Context(), bucket, "later", strings.NewReader("x"), cloud.PutOptions{}); err != nil {
		t.Error("a wrong clock:", err)
	}
	r.Skew(0)
	if _, err := s.Get(t.Context(), bucket, "nothing"); cloud.Code(err) != "NoSuchKey" {
		t.Error(err)
	}
	if _, err := s.Head(t.Context(), bucket, "nothing"); cloud.Code(err) != "NotFound" {
		t.Error(err)
	}
	r.Break("PutObject", 5, 503, "SlowDown")
	if _, err := s.Put(t.Context(), bucket, "again", bytes.NewReader([]byte("12345")), cloud.PutOptions{}); err != nil {
		t.Error(err)
	}
	if stored, _ := r.Get("again"); string(stored) != "12345" {
		t.Errorf("%q", stored)
	}
}

func TestABucketOfAnotherRegionIsFollowed(t *testing.T) {
	var scopes []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		scopes = append(scopes, strings.Split(req.Header.Get("Authorization"), "/")[2])
		if len(scopes) == 1 {
			w.Header().Set("X-Amz-Bucket-Region", "eu-west-9")
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message></Error>")
		}
	}))
	defer s.Close()
	c := cloud.NewS3(cloud.S3Options{Region: "eu-west-1", Endpoint: s.URL, Credentials: static("a", "b", "")})
	if _, err := c.Head(t.Context(), "bucket", ""); err != nil || strings.Join(scopes, " ") != "eu-west-1 eu-west-9" {
		t.Error(err, scopes)
	}
}
