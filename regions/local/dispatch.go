package local

import (
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// service is a table of operations behind one signing name.
type service struct {
	signing    string // service name in the credential scope
	operations map[string]operation
}

// services are the tables, by prefix of X-Amz-Target; sts comes through the query protocol.
func services() map[string]service {
	return map[string]service{
		"AmazonSSM":                        {"ssm", ssmOperations()},
		"EC2WindowsMessageDeliveryService": {"ec2messages", messageOperations()},
		"sts":                              {"sts", stsOperations()},
	}
}

// Operations are the names a service answers to: "ssm", "ec2messages" or "sts".
func Operations(signing string) []string {
	for _, s := range services() {
		if s.signing == signing {
			return slices.Sorted(maps.Keys(s.operations))
		}
	}
	return nil
}

// protocol is how a kind of request is answered.
type protocol struct {
	operation string // name of what is asked for
	serve     func(*answer) error
	fail      func(*answer, error) // writes an error in the protocol's form
}

// answer is a response under way and what is known of its request.
type answer struct {
	http.ResponseWriter
	req       *http.Request
	id        string // request id
	operation string
	body      []byte // of the request, where it is read whole
	status    int    // 0: nothing written yet
	code      string // of an error
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// ServeHTTP answers one request.
func (r *Region) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.serving.RLock()
	defer r.serving.RUnlock()
	a := &answer{ResponseWriter: w, req: req, id: uuid.NewString()}
	p := r.protocolOf(a)
	a.operation = p.operation
	w.Header().Set("Date", r.clock.signing().UTC().Format(http.TimeFormat))
	w.Header().Set("Server", "ssm-setup local")
	defer r.record(a)
	defer func() {
		if caught := recover(); caught != nil {
			if caught == http.ErrAbortHandler {
				panic(caught)
			}
			r.log.Error("operation failed", "operation", p.operation, "panic", caught, "stack", string(debug.Stack()))
			p.fail(a, fault{"InternalServerError", "internal failure", http.StatusInternalServerError})
		}
	}()
	r.pause(req)
	if r.knobs.dropNext() {
		panic(http.ErrAbortHandler)
	}
	if f, ok := r.knobs.broken(p.operation, rawPath(req)); ok {
		p.fail(a, f)
		return
	}
	if err := p.serve(a); err != nil {
		p.fail(a, err)
	}
}

// protocolOf tells the three protocols apart.
func (r *Region) protocolOf(a *answer) protocol {
	req := a.req
	if target := req.Header.Get("X-Amz-Target"); target != "" {
		return r.jsonProtocol(target)
	}
	if req.URL.Path == "/" {
		form := strings.HasPrefix(req.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
		if req.Method == http.MethodPost && form || strings.Contains("&"+req.URL.RawQuery, "&Action=") {
			return r.queryProtocol(a)
		}
	}
	return r.s3Protocol(req)
}

// pause is the knob Slow.
func (r *Region) pause(req *http.Request) {
	d := r.knobs.delay()
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-req.Context().Done():
	}
}

func (r *Region) record(a *answer) {
	r.log.Debug("answered", "operation", a.operation, "status", a.status, "code", a.code, "id", a.id)
	r.calls.add(Call{Operation: a.operation, Path: a.req.RequestURI, At: r.now(), Header: a.req.Header, Body: a.body,
		Status: a.status, Code: a.code})
}
