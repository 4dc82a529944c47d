package agent

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/watchdog"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

func TestASlowParameterStoreDoesNotLetTheAgentSeemStuck(t *testing.T) {
	now := time.Now()
	w := watchdog.New(func() time.Time { return now })
	guard := w.Guard("mailbox")
	service := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		now = now.Add(time.Minute)
		if what, stuck := w.Stuck(); stuck {
			t.Error(what)
		}
		io.WriteString(rw, `{"Parameters":[{"Name":"a","Type":"String","Value":"x","Version":1}]}`)
	}))
	defer service.Close()
	ssm := cloud.New(cloud.Options{Endpoint: service.URL, Region: "local", Service: "ssm", Target: wire.TargetSSM})
	guard.Enter()
	if got, err := resolver(t.Context(), ssm, guard)([]string{"a"}); err != nil || len(got) != 1 {
		t.Error(got, err)
	}
	now = now.Add(time.Minute)
	if _, stuck := w.Stuck(); !stuck {
		t.Error("afterwards it owes progress again")
	}
}
