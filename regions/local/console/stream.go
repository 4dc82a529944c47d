package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits of streams. A browser opens at most six connections to one host: a sixth stream would leave none for pages.
const (
	streamsOfSession = 5
	streamsMost      = 40
	lookAgain        = 5 * time.Second // what changes with time alone: hosts that stopped pinging, commands that expired
	saySomething     = 20 * time.Second
)

// streams are the open streams, the oldest first.
type streams struct {
	mu   sync.Mutex
	open []*stream
}

// stream is one page that is kept up to date.
type stream struct {
	of    *session
	ended chan struct{} // closed when a newer stream takes its place
}

// join takes a stream in. Of one session the oldest gives way; it returns nil where all sessions together have too many.
func (s *streams) join(of *session) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	var own []*stream
	for _, st := range s.open {
		if st.of == of {
			own = append(own, st)
		}
	}
	if len(own) >= streamsOfSession {
		close(own[0].ended)
		s.open = slices.DeleteFunc(s.open, func(st *stream) bool { return st == own[0] })
	}
	if len(s.open) >= streamsMost {
		return nil
	}
	st := &stream{of: of, ended: make(chan struct{})}
	s.open = append(s.open, st)
	return st
}

func (s *streams) leave(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = slices.DeleteFunc(s.open, func(other *stream) bool { return other == st })
}

// end ends all streams of a session.
func (s *streams) end(of *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = slices.DeleteFunc(s.open, func(st *stream) bool {
		if st.of == of {
			close(st.ended)
		}
		return st.of == of
	})
}

// count is how many streams are open.
func (s *streams) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// live serves the stream of a page: its changing part anew whenever it became another one. There is no queue: while a reader is slow,
// changes wait together, and one that reads nothing for the console's patience is let go.
func (c *Console) live(w http.ResponseWriter, req *http.Request, s *session) {
	at, err := url.Parse(req.URL.Query().Get("at"))
	if err != nil {
		c.refuse(w, http.StatusBadRequest, "The page to follow cannot be read.")
		return
	}
	st := c.streams.join(s)
	if st == nil {
		w.Header().Set("Retry-After", "30")
		c.refuse(w, http.StatusServiceUnavailable, "Too many pages are open.")
		return
	}
	defer c.streams.leave(st)
	asked := req.Clone(req.Context())
	asked.URL, asked.Form, asked.Method = at, nil, http.MethodGet
	f := &follower{c: c, w: w, control: http.NewResponseController(w), asked: asked, path: strings.TrimPrefix(at.Path, "/"), session: s}
	w.Header().Set("Content-Type", "text/event-stream")
	_ = f.control.SetReadDeadline(time.Time{}) // the request is read; its end is the reader's
	f.follow(req.Context(), st)
}

// follower writes one stream.
type follower struct {
	c       *Console
	w       http.ResponseWriter
	control *http.ResponseController
	asked   *http.Request
	path    string
	session *session
	buffer  bytes.Buffer
	last    [sha256.Size]byte
	said    time.Time
}

func (f *follower) follow(ctx context.Context, st *stream) {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		changed, called := f.c.region.Changed(), f.c.region.Called()
		if !f.c.pages[f.first()].calls {
			called = nil
		}
		if !f.c.entry.holds(f.session) || f.update() != nil {
			return
		}
		select {
		case <-changed:
		case <-called:
		case <-tick.C:
		case <-st.ended:
			_ = f.send("note", "Updates ended here: five newer tabs are open, or you have left. Reload to go on.")
			_ = f.send("stopped", "")
			return
		case <-ctx.Done():
			return
		}
		select { // what changes in quick succession is written once
		case <-time.After(f.c.quiet):
		case <-ctx.Done():
			return
		}
	}
}

// first is the first part of the page's path: its row in the table.
func (f *follower) first() string { return firstOf(f.path) }

// update sends the page's changing part where it differs from what was sent last.
func (f *follower) update() error {
	f.buffer.Reset()
	if !f.c.renderLive(&f.buffer, f.asked, f.session, f.path) {
		return f.send("gone", "")
	}
	sum := sha256.Sum256(f.buffer.Bytes())
	if sum == f.last {
		if time.Since(f.said) < saySomething {
			return nil
		}
		return f.write([]byte(": still here\n\n"))
	}
	f.last = sum
	return f.send("live", f.buffer.String())
}

// lineEnds are all that ends a line of a stream; a lone carriage return in a text would else begin a field.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// send writes one event.
func (f *follower) send(event, data string) error {
	var out bytes.Buffer
	out.Grow(len(data) + len(data)/16 + 64)
	out.WriteString("event: " + event + "\n")
	for line := range strings.SplitSeq(lineEnds.Replace(data), "\n") {
		out.WriteString("data: " + line + "\n")
	}
	out.WriteString("\n")
	return f.write(out.Bytes())
}

func (f *follower) write(b []byte) error {
	f.said = time.Now()
	_ = f.control.SetWriteDeadline(time.Now().Add(f.c.patience))
	if _, err := f.w.Write(b); err != nil {
		return err
	}
	return f.control.Flush()
}
