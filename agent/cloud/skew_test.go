package cloud_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
)

// A region that refuses signatures of another time, and a machine whose clock is two days behind.
func TestAWrongClockIsCorrectedOnce(t *testing.T) {
	var dates []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		date := req.Header.Get("X-Amz-Date")
		dates = append(dates, date)
		if at, err := time.Parse("20060102T150405Z", date); err != nil || time.Since(at).Abs() > 5*time.Minute {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"__type":"InvalidSignatureException","message":"Signature expired"}`)
		}
	}))
	defer s.Close()
	r := &region{Server: s}
	c := r.client(new([]time.Duration), func(o *cloud.Options) { o.Now = func() time.Time { return time.Now().Add(-48 * time.Hour) } })
	for range 2 {
		if err := c.Call(t.Context(), "Get", nil, nil); err != nil {
			t.Error(err)
		}
	}
	if len(dates) != 3 {
		t.Error("the difference is not remembered", dates)
	}
}
