package socket_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/socket"
)

// patience bounds every wait; a busy machine may need much of it.
const patience = 2 * time.Minute

// service gives out tokens and takes connections, each of which serve has.
type service struct {
	*httptest.Server
	t     *testing.T
	serve func(ctx context.Context, n int, c *websocket.Conn)

	mu      sync.Mutex
	created int
	opened  int
	refuse  func(n int, w http.ResponseWriter) bool // the request for the token number n; nil: none
}

func newService(t *testing.T, serve func(ctx context.Context, n int, c *websocket.Conn)) *service {
	s := &service{t: t, serve: serve}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/v1/control-channel/i-0123456789abcdef0" {
		s.t.Errorf("path %s", r.URL.Path)
	}
	if r.Method == http.MethodPost {
		s.mu.Lock()
		s.created++
		n, refuse := s.created, s.refuse
		s.mu.Unlock()
		if refuse != nil && refuse(n, w) {
			return
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "<R><TokenValue>token&amp;%d</TokenValue><MessageSchemaVersion>1.0</MessageSchemaVersion></R>", n)
		return
	}
	if r.URL.RawQuery != "role=subscribe&stream=input" {
		s.t.Errorf("query %s", r.URL.RawQuery)
	}
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	kind, first, err := c.Read(r.Context())
	s.mu.Lock()
	s.opened++
	n, created := s.opened, s.created
	s.mu.Unlock()
	if err != nil || kind != websocket.MessageText || string(first) != fmt.Sprintf("open token&%d", created) {
		s.t.Errorf("first message %q, %v", first, err)
	}
	s.serve(r.Context(), n, c)
}

func (s *service) counts() (created, opened int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.created, s.opened
}

// watched is a socket, and what it said of itself.
type watched struct {
	*socket.Socket
	t *testing.T

	mu       sync.Mutex
	pauses   []time.Duration
	said     []string
	received []string
	failed   []error
	alive    int
}

// start runs a socket to an address until the test ends.
func start(t *testing.T, address string, change func(*socket.Options)) *watched {
	t.Helper()
	w := &watched{t: t}
	o := socket.Options{Client: cloud.New(cloud.Options{Endpoint: address, Service: "ssmmessages"}),
		Path: "/v1/control-channel/i-0123456789abcdef0", Query: "role=subscribe&stream=input", Create: func() any { return struct{}{} },
		Open: func(token string) []byte { return []byte("open " + token) },
		Pause: func(ctx context.Context, d time.Duration) error {
			w.note(func() { w.pauses = append(w.pauses, d) })
			time.Sleep(time.Millisecond)
			return ctx.Err()
		},
		Receive: func(b []byte) { w.note(func() { w.received = append(w.received, string(b)) }) },
		Alive:   func() { w.note(func() { w.alive++ }) },
		Changed: func(open bool, err error) {
			w.note(func() { w.said, w.failed = append(w.said, fmt.Sprint(open)), append(w.failed, err) })
		}}
	if change != nil {
		change(&o)
	}
	w.Socket = socket.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { w.Run(ctx); close(done) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(patience):
			t.Error("it does not end")
		}
	})
	return w
}

func (w *watched) note(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *watched) until(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		done := false
		w.note(func() { done = ok() })
		if done {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain: %s; %q %v", what, w.said, w.failed)
		}
	}
}

func hold(ctx context.Context, _ int, c *websocket.Conn) { c.CloseRead(ctx); <-ctx.Done() }

func TestMessagesGoBothWays(t *testing.T) {
	s := newService(t, func(ctx context.Context, _ int, c *websocket.Conn) {
		c.SetReadLimit(1 << 20)
		for {
			kind, b, err := c.Read(ctx)
			if err != nil {
				return
			}
			if kind != websocket.MessageBinary {
				t.Errorf("%v", kind)
			}
			c.Write(ctx, websocket.MessageBinary, append([]byte("echo "), b...))
		}
	})
	w := start(t, s.URL, nil)
	w.until("it to be open", w.IsOpen)
	for _, text := range []string{"one", "two", strings.Repeat("x", 300<<10)} {
		if err := w.Send(context.Background(), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	w.until("three echoes", func() bool { return len(w.received) == 3 })
	if w.received[0] != "echo one" || w.received[1] != "echo two" || len(w.received[2]) != 300<<10+5 {
		t.Errorf("%.40q", w.received)
	}
}

// docs/protocol/session.md, "Read errors, reconnect, back-off": a fresh token for every connection, a short pause after a loss.
func TestALostChannelComesBackWithAFreshToken(t *testing.T) {
	s := newService(t, func(ctx context.Context, n int, c *websocket.Conn) {
		if n < 4 {
			return // dropped without a word
		}
		hold(ctx, n, c)
	})
	w := start(t, s.URL, nil)
	w.until("the fourth connection", func() bool { _, opened := s.counts(); return opened == 4 && len(w.said) == 7 })
	if created, _ := s.counts(); created != 4 || strings.Join(w.said, " ") != "true false true false true false true" {
		t.Errorf("%d tokens, %q", created, w.said)
	}
	for _, p := range w.pauses {
		if p >= 2500*time.Millisecond {
			t.Errorf("pauses %v", w.pauses)
		}
	}
}

func TestPausesGrowUntilAChannelCanBeOpened(t *testing.T) {
	s := newService(t, hold)
	s.refuse = func(n int, w http.ResponseWriter) bool {
		switch {
		case n > 14:
			return false
		case n == 1:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<AccessDeniedException><Message>no</Message></AccessDeniedException>")
		case n == 2:
			fmt.Fprint(w, "<R><TokenValue>t</TokenValue></R>") // 200 is no success
		case n == 3:
			w.Header().Set("x-amzn-ErrorType", "ThrottlingException:http://internal/")
			w.WriteHeader(http.StatusTooManyRequests)
		case n == 4:
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, "<R></R>")
		default:
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprint(w, "<html><body>proxy</body></html>")
		}
		return true
	}
	w := start(t, s.URL, nil)
	w.until("it to be open", w.IsOpen)
	for i, code := range []string{"AccessDeniedException", cloud.UnknownError, "ThrottlingException", cloud.SerializationError,
		cloud.UnknownError} {
		if got := cloud.Code(w.failed[i]); got != code {
			t.Errorf("try %d: %v", i+1, w.failed[i])
		}
	}
	low := 5 * time.Second
	for i, p := range w.pauses {
		if p < min(low, 40*time.Minute) || p > min(2*low+low, time.Hour) {
			t.Errorf("pause %d: %s", i, p)
		}
		low *= 2
	}
	if len(w.pauses) != 14 {
		t.Errorf("%v", w.pauses)
	}
}

// docs/protocol/session.md, "Keepalive".
func TestAChannelWithoutPongsIsOpenedAnew(t *testing.T) {
	s := newService(t, func(ctx context.Context, n int, c *websocket.Conn) {
		if n == 1 {
			<-ctx.Done() // reads nothing, so that no ping is answered
			return
		}
		hold(ctx, n, c)
	})
	w := start(t, s.URL, func(o *socket.Options) { o.PingPeriod, o.PongLimit = 20*time.Millisecond, 100*time.Millisecond })
	w.until("pongs of the second connection", func() bool { return w.alive > 3 })
	if _, opened := s.counts(); opened < 2 {
		t.Errorf("%d connections", opened)
	}
}

func TestACheckPingsAtOnce(t *testing.T) {
	s := newService(t, hold)
	w := start(t, s.URL, nil)
	w.until("it to be open", w.IsOpen)
	w.Check()
	w.until("a pong", func() bool { return w.alive == 1 })
}

func TestAServiceThatCannotBeReachedIsSaidOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + l.Addr().String()
	l.Close()
	w := start(t, address, nil)
	w.until("some tries", func() bool { return len(w.failed) > 5 })
	if err := w.Send(context.Background(), []byte("x")); !errors.Is(err, socket.ErrClosed) {
		t.Errorf("%v", err)
	}
}

// What a service sends, or how it ends, never ends the loop.
func TestNoMessageEndsTheLoop(t *testing.T) {
	s := newService(t, func(ctx context.Context, n int, c *websocket.Conn) {
		switch n {
		case 1:
			c.Write(ctx, websocket.MessageBinary, make([]byte, 5<<20)) // larger than any message
			c.Read(ctx)
		case 2:
			c.Close(websocket.StatusInternalError, "trouble")
		case 3:
			c.Write(ctx, websocket.MessageText, []byte("text"))
			c.Write(ctx, websocket.MessageBinary, nil)
			hold(ctx, n, c)
		}
	})
	w := start(t, s.URL, nil)
	w.until("messages of the third connection", func() bool { return len(w.received) == 2 })
	if w.received[0] != "text" || w.received[1] != "" {
		t.Errorf("%q", w.received)
	}
}
