package protocol

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// What the JSON and query protocols read of a request at most, in bytes. A request that names no key of this region is answered
// out of little memory: a registration, the largest request without a signature, has less than 8 KiB.
const (
	maxBody         = 4 << 20
	maxBodyUnsigned = 64 << 10
)

// Answer is an answer under way and what is known of its request.
type Answer struct {
	http.ResponseWriter
	Request   *http.Request
	ID        string // of the request, made by the region
	Operation string // "SendReply", "GetObject", …
	Body      []byte // of the request, where it was read whole
	Status    int    // 0: nothing is written yet
	Code      string // of an error
	Who       string // who asked, as far as it was proven: a node's id, "administrator", "anonymous", or ""

	read    bool
	readErr error
}

// WriteHeader keeps the status for the record of the call.
func (a *Answer) WriteHeader(status int) {
	if a.Status == 0 {
		a.Status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (a *Answer) Write(b []byte) (int, error) {
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (a *Answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteText sends a whole body.
func (a *Answer) WriteText(status int, contentType, body string) {
	h := a.Header()
	h.Set("Content-Type", contentType)
	h.Set("x-amzn-RequestId", a.ID)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	a.WriteHeader(status)
	_, _ = io.WriteString(a, body) // the client may be gone
}

// readBody reads an answer's request whole, once, up to the limit of its caller.
func (g *Gate) readBody(a *Answer) error {
	if a.read {
		return a.readErr
	}
	a.read = true
	limit := maxBodyUnsigned
	if g.knows(a.Request) {
		limit = maxBody
	}
	body, err := io.ReadAll(io.LimitReader(a.Request.Body, int64(limit)+1))
	switch {
	case err != nil:
		a.readErr = Refuse("SerializationException", "read body: %v", err)
	case len(body) > limit:
		a.readErr = Fail(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException",
			fmt.Sprintf("the request is larger than %d KiB", limit>>10))
	default:
		a.Body = body
	}
	return a.readErr
}
