package protocol

import (
	"io"
	"net/http"
	"strconv"
)

// maxBody is the most the JSON and query protocols read of a request, in bytes.
const maxBody = 4 << 20

// Answer is an answer under way and what is known of its request.
type Answer struct {
	http.ResponseWriter
	Request   *http.Request
	ID        string // of the request, made by the region
	Operation string // "SendReply", "GetObject", …
	Body      []byte // of the request, where it was read whole
	Status    int    // 0: nothing is written yet
	Code      string // of an error

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

// readBody reads the request's body, once and at most 4 MiB of it.
func (a *Answer) readBody() error {
	if a.read {
		return a.readErr
	}
	a.read = true
	body, err := io.ReadAll(io.LimitReader(a.Request.Body, maxBody+1))
	switch {
	case err != nil:
		a.readErr = Refuse("SerializationException", "read body: %v", err)
	case len(body) > maxBody:
		a.readErr = Fail(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "the request is larger than 4 MiB")
	default:
		a.Body = body
	}
	return a.readErr
}
