package machine

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

// Amazon's agent, kept current by the timer, obeys what the region says to hosts that update by themselves.
func TestATimersUpdateOfAmazonsAgentObeysHaltAndShare(t *testing.T) {
	for name, c := range map[string]struct{ index, kind, says string }{
		"a region without an index":   {"", "upgrade", ""},
		"for all":                     {`{"schema":1}`, "upgrade", ""},
		"for none yet":                {`{"schema":1,"versions":{"3.3.2.0":{"percent":0}}}`, policy.NotYet, "share of the hosts"},
		"halted":                      {`{"schema":1,"halted":{"reason":"it leaks"}}`, policy.Halted, "it leaks"},
		"another version has a share": {`{"schema":1,"versions":{"3.3.1.0":{"percent":0}}}`, "upgrade", ""},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if c.index == "" {
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = w.Write([]byte(c.index))
		}))
		index, err := indexOf(context.Background(), bucket.New(bucket.Options{Base: s.URL}))
		s.Close()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		d := scheduled("mi-1", index, manifests.Decision{Kind: manifests.Upgrade, Success: true, Running: manifests.MustVersion("3.3.1.0"),
			Target: manifests.MustVersion("3.3.2.0")})
		if string(d.Kind) != c.kind || !d.Success || !strings.Contains(d.Detail, c.says) || d.Changes() != (c.says == "") {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

func TestADamagedIndexStopsATimersUpdate(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	defer s.Close()
	if _, err := indexOf(context.Background(), bucket.New(bucket.Options{Base: s.URL})); err == nil {
		t.Error("a page of a proxy is taken for an index")
	}
}
