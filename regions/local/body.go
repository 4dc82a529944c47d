package local

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// steadyBody is a request's body that must not stand still: each part has to come within the pause.
type steadyBody struct {
	io.ReadCloser
	conn  *http.ResponseController
	pause time.Duration
	ended bool
}

// steady puts the limit on a request. done is for the end of the answer: what is left of the body is read by the server then.
func (r *Region) steady(w http.ResponseWriter, req *http.Request) (done func()) {
	if req.Body == nil || req.Body == http.NoBody {
		return func() {}
	}
	b := &steadyBody{ReadCloser: req.Body, conn: http.NewResponseController(w), pause: r.bodyPause}
	req.Body = b
	return func() {
		if !b.ended {
			_ = b.conn.SetReadDeadline(time.Now().Add(b.pause))
		}
	}
}

func (b *steadyBody) Read(p []byte) (int, error) {
	_ = b.conn.SetReadDeadline(time.Now().Add(b.pause))
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) { // the connection may now wait, for a long poll, for the next request
		b.ended = true
		_ = b.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}
