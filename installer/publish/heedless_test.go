package publish_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// unconditional is a bucket in memory that knows objects, and no conditions.
func unconditional(t *testing.T) (target.Target, map[string][]byte) {
	t.Helper()
	objects := map[string][]byte{}
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		key := r.URL.Path
		switch r.Method {
		case http.MethodPut:
			var b bytes.Buffer
			_, _ = b.ReadFrom(r.Body)
			objects[key] = b.Bytes()
		case http.MethodDelete:
			delete(objects, key)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		b, ok := objects[key]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("ETag", `"`+sum(string(b))[:32]+`"`)
		if r.Method != http.MethodPut {
			_, _ = w.Write(b)
		}
	}))
	t.Cleanup(s.Close)
	_, to := region(t, func(p *target.BucketOptions) { p.Endpoint = s.URL })
	return to, objects
}

// A bucket that ignores the conditions of writes is found out by one request and said to be one; what was read is compared before a
// write, so that a change of another publisher that is there already is not written over.
func TestABucketThatIgnoresConditionsIsFoundOut(t *testing.T) {
	to, objects := unconditional(t)
	var warnings []string
	o := publish.Options{Warn: func(text string) { warnings = append(warnings, text) }}
	publishTo(t, to, release(t, "9.1.0.0", "one"), o)
	publishTo(t, to, release(t, "9.2.0.0", "two"), o)
	alone := slices.DeleteFunc(slices.Clone(warnings), func(text string) bool { return !strings.Contains(text, "one publisher at a time") })
	if len(alone) != 2 || !strings.Contains(warnings[0], alone[0]) {
		t.Errorf("%q", warnings)
	}
	for key := range objects {
		if strings.Contains(key, "probe") {
			t.Errorf("%s is left", key)
		}
	}
	write := func(when target.When) error {
		return to.Write(t.Context(), "latest/VERSION", strings.NewReader("9.0.0.0\n"), sum("9.0.0.0\n"), when)
	}
	if err := write(target.When{Tag: `"another"`}); !errors.Is(err, target.ErrChanged) {
		t.Errorf("over a newer one: %v", err)
	}
	if err := write(target.When{Absent: true}); !errors.Is(err, target.ErrChanged) {
		t.Errorf("over one that is there: %v", err)
	}
	if read(t, to, "latest/VERSION") != "9.2.0.0\n" {
		t.Error("the older publisher won")
	}
	honest := publish.Options{Warn: func(text string) { t.Errorf("said of a bucket that keeps conditions: %s", text) }}
	_, kept := region(t)
	publishTo(t, kept, release(t, "9.1.0.0", "one"), honest)
}

// Whatever a bucket says against credentials is told as that, with what to do about them.
func TestRejectedCredentialsAreSaidToBeThat(t *testing.T) {
	for _, code := range []string{"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "RequestTimeTooSkewed"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte("<Error><Code>" + code + "</Code><Message>no</Message></Error>"))
		}))
		_, to := region(t, func(p *target.BucketOptions) { p.Endpoint, p.Tries = s.URL, 1 })
		_, err := publish.Promote(t.Context(), to, manifests.MustVersion("9.1.0.0"), publish.Options{})
		if !errors.Is(err, target.ErrCredentials) || !strings.Contains(fault.HintOf(err), "expired") {
			t.Errorf("%s: %v", code, err)
		}
		s.Close()
	}
}
