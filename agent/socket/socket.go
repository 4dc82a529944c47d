package socket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Options say which channel it is. All are needed but those with a default.
type Options struct {
	Client  *cloud.Client              // of the channel's service
	Path    string                     // where the channel is created and opened
	Query   string                     // of the address at which it is opened
	Create  func() any                 // body of the request for a token, as JSON
	Open    func(token string) []byte  // the first message, sent as text
	Receive func([]byte)               // takes a message in; keeps the bytes if it likes
	Changed func(open bool, err error) // after it was opened, was lost or could not be opened (err); nil: it matters to no one
	Alive   func()                     // after every answered ping; may be nil
	Log     *slog.Logger               // nil: silent

	PingPeriod time.Duration                              // 0: 54 s
	PongLimit  time.Duration                              // until a ping is answered; 0: 60 s
	Pause      func(context.Context, time.Duration) error // nil: host.Sleep
}

// Limits of a channel (docs/protocol/session.md, "Keepalive", "Read errors, reconnect, back-off").
const (
	pingPeriod  = 54 * time.Second
	pongLimit   = 60 * time.Second
	checkLimit  = 10 * time.Second // of a ping that [Socket.Check] asked for
	dialLimit   = 30 * time.Second
	writeLimit  = 15 * time.Second
	mostMessage = 4 << 20 // bytes of one message; a command with its document has some 200 kB at most

	firstPause   = 5 * time.Second // 5 to 10 s, doubling, and up to half as much more
	longestPause = 40 * time.Minute
	lostPause    = 2500 * time.Millisecond // at most, between a loss and the first try
)

// ErrClosed says that the channel is not open now.
var ErrClosed = errors.New("the channel is not open")

// Socket is one channel. It is safe for concurrent use.
type Socket struct {
	o     Options
	check chan struct{} // a ping is wanted now

	mu   sync.Mutex
	conn *websocket.Conn // nil: not open
	said bool            // that it cannot be opened, in the log
}

// New completes the options.
func New(o Options) *Socket {
	if o.Changed == nil {
		o.Changed = func(bool, error) {}
	}
	if o.Alive == nil {
		o.Alive = func() {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.PingPeriod == 0 {
		o.PingPeriod = pingPeriod
	}
	if o.PongLimit == 0 {
		o.PongLimit = pongLimit
	}
	if o.Pause == nil {
		o.Pause = host.Sleep
	}
	return &Socket{o: o, check: make(chan struct{}, 1)}
}

// IsOpen tells whether messages can be sent.
func (s *Socket) IsOpen() bool { return s.current() != nil }

func (s *Socket) current() *websocket.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// Send sends one binary message. Error: [ErrClosed], or what became of the connection, which is gone then.
func (s *Socket) Send(ctx context.Context, b []byte) error {
	conn := s.current()
	if conn == nil {
		return ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return conn.Write(ctx, websocket.MessageBinary, b)
}

// Check asks for a ping at once: an answer that should have come did not.
func (s *Socket) Check() {
	select {
	case s.check <- struct{}{}:
	default:
	}
}

// Run keeps the channel open until the context ends.
func (s *Socket) Run(ctx context.Context) {
	var pause time.Duration
	for ctx.Err() == nil {
		opened, err := s.live(ctx)
		if ctx.Err() != nil {
			return
		}
		s.say(opened, err)
		wait := rand.N(lostPause) //nolint:gosec // a pause is no secret
		if opened {
			pause = 0
		} else {
			pause = next(pause)
			wait = pause + rand.N(pause/2) //nolint:gosec // as above
		}
		if s.o.Pause(ctx, wait) != nil {
			return
		}
	}
}

// next is the pause after one that was not long enough; 0 is none.
func next(pause time.Duration) time.Duration {
	if pause == 0 {
		return firstPause + rand.N(firstPause) //nolint:gosec // a pause is no secret
	}
	return min(2*pause, longestPause)
}

// say tells the log of a loss every time, and once of a channel that cannot be opened.
func (s *Socket) say(opened bool, err error) {
	switch {
	case opened:
		s.said = false
		s.o.Log.Info("channel lost, it is opened anew", "error", err)
	case !s.said:
		s.said = true
		s.o.Log.Info("channel cannot be opened, trying again now and then", "error", err)
	default:
		s.o.Log.Debug("channel cannot be opened", "error", err)
	}
}

// live opens the channel and serves it until it is lost.
func (s *Socket) live(ctx context.Context) (opened bool, err error) {
	conn, err := s.dial(ctx)
	if err != nil {
		s.o.Changed(false, err)
		return false, err
	}
	ctx, end := context.WithCancel(ctx)
	var pings sync.WaitGroup
	pings.Go(func() { s.ping(ctx, conn) })
	s.mu.Lock()
	s.conn = conn
	s.mu.Unlock()
	s.o.Log.Info("channel is open")
	s.o.Changed(true, nil)
	err = s.read(ctx, conn)
	s.mu.Lock()
	s.conn = nil
	s.mu.Unlock()
	end()
	_ = conn.CloseNow()
	pings.Wait()
	s.o.Changed(false, err)
	return true, err
}

// dial asks for a token, connects and says who this is.
func (s *Socket) dial(ctx context.Context) (*websocket.Conn, error) {
	token, err := s.o.Client.CreateChannel(ctx, s.o.Path, s.o.Create())
	if err != nil {
		return nil, err
	}
	channel, err := s.o.Client.Channel(ctx, s.o.Path, s.o.Query)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	o := &websocket.DialOptions{HTTPClient: channel.HTTP, HTTPHeader: channel.Header}
	conn, answer, err := websocket.Dial(ctx, channel.Address, o) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, refused(err, answer)
	}
	conn.SetReadLimit(mostMessage)
	if err := conn.Write(ctx, websocket.MessageText, s.o.Open(token)); err != nil {
		_ = conn.CloseNow()
		return nil, fmt.Errorf("cannot send the first message: %w", err)
	}
	return conn, nil
}

// read takes messages in until the connection is lost.
func (s *Socket) read(ctx context.Context, conn *websocket.Conn) error {
	for {
		_, b, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		s.o.Receive(b)
	}
}

// ping pings now and then; a ping without an answer is the end of the connection.
func (s *Socket) ping(ctx context.Context, conn *websocket.Conn) {
	timer := time.NewTimer(s.o.PingPeriod)
	defer timer.Stop()
	for {
		limit := s.o.PongLimit
		select {
		case <-ctx.Done():
			return
		case <-s.check:
			limit = min(limit, checkLimit)
		case <-timer.C:
		}
		answered, cancel := context.WithTimeout(ctx, limit)
		err := conn.Ping(answered)
		cancel()
		if err != nil {
			_ = conn.CloseNow()
			return
		}
		s.o.Alive()
		timer.Reset(s.o.PingPeriod)
	}
}

// refused adds what the service said to an upgrade that it refused.
func refused(err error, answer *http.Response) error {
	if answer == nil || answer.Body == nil {
		return err
	}
	if said, readErr := io.ReadAll(answer.Body); readErr == nil && len(said) > 0 {
		return fmt.Errorf("%w: %s", err, said)
	}
	return err
}
