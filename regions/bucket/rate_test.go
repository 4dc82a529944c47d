package bucket_test

import (
	"bytes"
	"context"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

func TestADownloadTakesNoMoreThanItsRate(t *testing.T) {
	content := bytes.Repeat([]byte("x"), 1<<20)
	s := httptest.NewServer(serve(content))
	t.Cleanup(s.Close)
	for rate, least := range map[int64]time.Duration{0: 0, 64 << 10: 15 * time.Second, 1: 120 * time.Second} {
		var waited time.Duration
		c := bucket.New(bucket.Options{Base: s.URL, Retries: -1, Pause: func(_ context.Context, d time.Duration) error {
			waited = max(waited, d) // no time goes by, so each pause is for all that came so far
			return nil
		}})
		path := filepath.Join(t.TempDir(), "file")
		err := c.Fetch(t.Context(), bucket.Want{URL: s.URL + "/f", Path: path, SHA256: sum(content), Rate: rate})
		if err != nil || waited < least || rate == 0 && waited > 0 {
			t.Errorf("%d bytes a second: waited %s, at least %s expected: %v", rate, waited, least, err)
		}
	}
}

func TestAWaitForTheRateEndsWithItsContext(t *testing.T) {
	s := httptest.NewServer(serve(bytes.Repeat([]byte("x"), 1<<20)))
	t.Cleanup(s.Close)
	ctx, cancel := context.WithCancel(t.Context())
	c := bucket.New(bucket.Options{Base: s.URL, Retries: -1, Pause: func(context.Context, time.Duration) error { cancel(); return ctx.Err() }})
	err := c.Fetch(ctx, bucket.Want{URL: s.URL + "/f", Path: filepath.Join(t.TempDir(), "file"), SHA256: sum(nil), Rate: 8 << 10})
	if err == nil {
		t.Error("it went on")
	}
}
