package local

import (
	"errors"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/regions/ground"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// ServeHTTP answers one request.
func (r *Region) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.serving.RLock()
	defer r.serving.RUnlock()
	defer r.steady(w, req)()
	a := &protocol.Answer{ResponseWriter: w, Request: req, ID: uuid.NewString()}
	h := r.handler(a)
	a.Operation = h.Operation
	w.Header().Set("Date", r.clock.signing().UTC().Format(http.TimeFormat))
	w.Header().Set("Server", "ssm-setup local")
	// What a bucket holds may be anyone's page or script: a browser that opens it runs none of it, and guesses no other type.
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "sandbox")
	began := time.Now()
	defer func() { r.record(a, time.Since(began)) }()
	defer func() {
		if caught := recover(); caught != nil {
			if err, ok := caught.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(caught)
			}
			r.log.Error("operation failed", "operation", h.Operation, "panic", caught, "stack", string(debug.Stack()))
			h.Fail(a, protocol.Failed())
		}
	}()
	if d := r.faults.delay(); d > 0 {
		_ = ground.Sleep(req.Context(), d)
	}
	if r.faults.dropNext() {
		panic(http.ErrAbortHandler)
	}
	if f, ok := r.faults.broken(h.Operation, protocol.RawPath(req)); ok {
		h.Fail(a, f)
		return
	}
	if err := h.Serve(a); err != nil {
		h.Fail(a, err)
	}
}

// handler finds the service whose request it is; the last row claims everything.
func (r *Region) handler(a *protocol.Answer) protocol.Handler {
	for _, s := range r.services {
		if h, ok := s.Claim(a); ok {
			return h
		}
	}
	return protocol.Handler{}
}

func (r *Region) record(a *protocol.Answer, took time.Duration) {
	r.log.Debug("answered", "operation", a.Operation, "status", a.Status, "code", a.Code, "id", a.ID)
	path, _, _ := strings.Cut(a.Request.RequestURI, "?") // a query may carry a signature
	r.calls.see(Seen{At: r.now(), Operation: a.Operation, Path: path, Who: a.Who, Status: a.Status, Code: a.Code, Took: took})
	r.records.Signal(callsKey)
	r.calls.add(Call{Operation: a.Operation, Path: a.Request.RequestURI, At: r.now(), Header: a.Request.Header, Body: a.Body,
		Status: a.Status, Code: a.Code})
}
