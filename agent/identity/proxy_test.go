package identity_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
)

// lose puts something between node and region that passes every request on, but keeps the answers of an operation to itself.
// With crash it also answers nothing from then on: what a node that dies right there would see.
func (m *machine) lose(operation string, crash bool) {
	m.t.Helper()
	region := m.region.URL()
	var dead atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if dead.Load() {
			panic(http.ErrAbortHandler)
		}
		body, _ := io.ReadAll(req.Body)
		on, _ := http.NewRequestWithContext(req.Context(), req.Method, region+req.URL.Path, bytes.NewReader(body))
		on.Header, on.Host = req.Header, req.Host
		if len(req.TransferEncoding) > 0 {
			on.ContentLength = -1
		}
		res, err := http.DefaultTransport.RoundTrip(on)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer res.Body.Close()
		if strings.HasSuffix(req.Header.Get("X-Amz-Target"), "."+operation) {
			dead.Store(crash)
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(res.StatusCode)
		io.Copy(w, res.Body)
	}))
	m.t.Cleanup(s.Close)
	m.config.Ssm.Endpoint = s.URL
}

// mend lets the node reach the region again.
func (m *machine) mend() { m.config.Ssm.Endpoint = m.region.URL() }
