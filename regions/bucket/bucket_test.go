package bucket_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// open makes a client for a handler; pauses between tries take no time.
func open(t *testing.T, h http.HandlerFunc) *bucket.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return bucket.New(bucket.Options{Base: s.URL, Pause: func(context.Context, time.Duration) error { return nil }})
}

func sum(b []byte) manifests.Sum {
	s := sha256.Sum256(b)
	parsed, err := manifests.ParseSum(strings.ToUpper(hex.EncodeToString(s[:])))
	if err != nil {
		panic(err)
	}
	return parsed
}

func TestAVersionFileIsReadAndAPageIsRefused(t *testing.T) {
	for body, want := range map[string]error{
		"9.1.0.0\n":                   nil,
		"<html>please sign in</html>": manifests.ErrVersionFile,
		"3.3":                         manifests.ErrVersionFile,
		strings.Repeat("a", 5000):     bucket.ErrNotBucket,
	} {
		c := open(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, body) })
		v, err := c.Latest(t.Context())
		if !errors.Is(err, want) || (want == nil && v.String() != "9.1.0.0") {
			t.Errorf("%.10q: %v, %v", body, v, err)
		}
	}
}

func TestEachStatusIsAnErrorOfItsOwn(t *testing.T) {
	for status, want := range map[int]error{404: bucket.ErrMissing, 403: bucket.ErrDenied} {
		var calls atomic.Int32
		c := open(t, func(w http.ResponseWriter, r *http.Request) { calls.Add(1); w.WriteHeader(status) })
		if _, err := c.Stable(t.Context()); !errors.Is(err, want) || calls.Load() != 1 {
			t.Errorf("%d: %v after %d calls", status, err, calls.Load())
		}
	}
	var calls atomic.Int32
	c := open(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) < 4 {
			w.WriteHeader(503)
			return
		}
		fmt.Fprint(w, "9.1.0.0")
	})
	if _, err := c.Latest(t.Context()); err != nil || calls.Load() != 4 {
		t.Errorf("503 three times: %v after %d calls", err, calls.Load())
	}
	c = open(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) })
	var s *bucket.StatusError
	if _, err := c.Latest(t.Context()); !errors.As(err, &s) || s.Status != 503 {
		t.Errorf("503 for ever: %v", err)
	}
}

func TestARegionThatDoesNotAnswerIsUnreachable(t *testing.T) {
	c := bucket.New(bucket.Options{Base: "http://127.0.0.1:1/x", Retries: -1})
	if _, err := c.Manifest(t.Context()); !errors.Is(err, bucket.ErrUnreachable) {
		t.Error(err)
	}
}

func TestFetchGoesOnWhereItStopped(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 40000)
	var calls, served atomic.Int64
	c := open(t, func(w http.ResponseWriter, r *http.Request) {
		n := calls.Add(1)
		w.Header().Set("ETag", `"one"`)
		if n <= 2 { // break off after a third
			w.Header().Set("Content-Length", fmt.Sprint(len(content)-int(served.Load())))
			if r.Header.Get("Range") != "" {
				w.WriteHeader(206)
			}
			part := content[served.Load():][:len(content)/3]
			w.Write(part)
			served.Add(int64(len(part)))
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
	path := filepath.Join(t.TempDir(), "file")
	var last int64
	err := c.Fetch(t.Context(), bucket.Want{URL: c.Base() + "/f", Path: path, SHA256: sum(content), Size: int64(len(content)),
		Progress: func(done, total int64) { last = done }})
	if err != nil || last != int64(len(content)) {
		t.Fatal(err, last)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, content) {
		t.Error("content differs")
	}
	if calls.Load() != 3 {
		t.Errorf("%d calls", calls.Load())
	}
	if err := c.Fetch(t.Context(), bucket.Want{URL: c.Base() + "/f", Path: path, SHA256: sum(content)}); err != nil || calls.Load() != 3 {
		t.Errorf("a file that is there is not fetched again: %v, %d", err, calls.Load())
	}
}

func TestFetchBeginsAnewWhenTheObjectChanged(t *testing.T) {
	content := []byte(strings.Repeat("new", 1000))
	c := open(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"two"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
	path := filepath.Join(t.TempDir(), "file")
	os.WriteFile(path+".part", []byte("oldold"), 0o600)
	os.WriteFile(path+".part.etag", []byte(`"one"`), 0o600)
	if err := c.Fetch(t.Context(), bucket.Want{URL: c.Base() + "/f", Path: path, SHA256: sum(content)}); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(path + ".*")
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFetchRefusesWhatIsNotTheWantedFile(t *testing.T) {
	content := []byte("some package")
	for name, r := range map[string]struct {
		want    bucket.Want
		handler http.HandlerFunc
		err     error
	}{
		"wrong checksum": {bucket.Want{SHA256: sum([]byte("other"))}, serve(content), bucket.ErrChecksum},
		"no checksum":    {bucket.Want{}, serve(content), bucket.ErrChecksum},
		"wrong size":     {bucket.Want{SHA256: sum(content), Size: 5}, serve(content), bucket.ErrSize},
		"truncated": {bucket.Want{SHA256: sum(content)}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "12")
			w.Write(content[:5])
		}, bucket.ErrUnreachable},
		"no size": {bucket.Want{SHA256: sum(content)}, func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			w.Write(content)
		}, bucket.ErrNotBucket},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, r.handler)
			r.want.URL, r.want.Path = c.Base()+"/f", filepath.Join(t.TempDir(), "file")
			if err := c.Fetch(t.Context(), r.want); !errors.Is(err, r.err) {
				t.Errorf("%v, want %v", err, r.err)
			}
			if _, err := os.Stat(r.want.Path); err == nil {
				t.Error("a file of the wanted name is there")
			}
		})
	}
}

func serve(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}
