package local

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Limits of connections.
const (
	firstByte  = 30 * time.Second // a connection that says nothing is closed
	headerTime = 30 * time.Second
	idleTime   = 3 * time.Minute

	bodyPauseUsual   = 30 * time.Second
	connectionsUsual = 1024
)

// listen starts serving both protocols on one port.
func (r *Region) listen(address string) error {
	if address == "" {
		address = "127.0.0.1:0"
	}
	r.listening = address
	var network net.ListenConfig
	l, err := network.Listen(context.Background(), "tcp", address)
	if err != nil {
		kind := fault.Busy
		if errors.Is(err, fs.ErrPermission) {
			kind = fault.Permission
		}
		return fault.Wrap(kind, err, hintOfListen(address, err))
	}
	config, err := r.tlsConfig(address)
	if err != nil {
		l.Close()
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.listener, r.context, r.cancel = newSplit(l, config, r.connections), ctx, cancel
	r.server = &http.Server{
		Handler:           r,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(r.log.Handler(), slog.LevelDebug),
	}
	r.done.Go(func() { _ = r.server.Serve(r.listener) })
	return nil
}

// hintOfListen is the next step where a port cannot be had.
func hintOfListen(address string, err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program serves at " + address + ": end it, or choose another port with --listen"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return address + " is no address of this machine: choose one with --listen"
	case errors.Is(err, fs.ErrPermission):
		return "ports below 1024 need privileges: choose a higher one with --listen"
	}
	return "another program serves there, or the address is not this machine's: choose one with --listen"
}

// URL is the plain address, http://host:port.
func (r *Region) URL() string { return "http://" + r.address() }

// TLSURL is the address over TLS; the certificate is signed by [Region.CAFile].
func (r *Region) TLSURL() string { return "https://" + r.address() }

// address is where clients of this machine reach the port.
func (r *Region) address() string {
	a := r.listener.Addr().(*net.TCPAddr)
	if a.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", portText(a.Port))
	}
	return a.String()
}

// split is a listener whose connections speak TLS when their first byte says so (0x16, a handshake record).
type split struct {
	net.Listener
	config *tls.Config
	ready  chan net.Conn
	slots  chan struct{} // one per connection
	closed chan struct{}
	once   sync.Once

	mu      sync.Mutex
	waiting map[net.Conn]bool // connections whose first byte has not come
}

func newSplit(l net.Listener, config *tls.Config, connections int) *split {
	s := &split{Listener: l, config: config, ready: make(chan net.Conn), closed: make(chan struct{}), waiting: map[net.Conn]bool{},
		slots: make(chan struct{}, connections)}
	go s.accept()
	return s
}

// Accept returns the next connection whose protocol is known.
func (s *split) Accept() (net.Conn, error) {
	select {
	case c := <-s.ready:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Close stops accepting and closes connections that have said nothing yet.
func (s *split) Close() error {
	err := s.Listener.Close()
	s.once.Do(func() { close(s.closed) })
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.waiting {
		c.Close()
	}
	return err
}

func (s *split) accept() {
	pause := 5 * time.Millisecond
	for {
		c, err := s.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors, for example: wait and go on
			time.Sleep(pause)
			pause = min(2*pause, time.Second)
			continue
		}
		pause = 5 * time.Millisecond
		select {
		case s.slots <- struct{}{}:
			go s.sort(&counted{Conn: c, slots: s.slots})
		default:
			c.Close()
		}
	}
}

// sort looks at the first byte.
func (s *split) sort(c net.Conn) {
	if !s.hold(c) {
		return
	}
	b := bufio.NewReaderSize(c, 4096)
	_ = c.SetReadDeadline(time.Now().Add(firstByte))
	first, err := b.Peek(1)
	_ = c.SetReadDeadline(time.Time{})
	s.mu.Lock()
	delete(s.waiting, c)
	s.mu.Unlock()
	if err != nil {
		c.Close()
		return
	}
	var out net.Conn = &peeked{Conn: c, from: b}
	if first[0] == 0x16 {
		out = tls.Server(out, s.config)
	}
	select {
	case s.ready <- out:
	case <-s.closed:
		c.Close()
	}
}

// hold notes a connection that waits for its first byte, so that Close ends it.
func (s *split) hold(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
		c.Close()
		return false
	default:
		s.waiting[c] = true
		return true
	}
}

// counted is a connection that gives its slot back when it is closed.
type counted struct {
	net.Conn
	slots chan struct{}
	once  sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { <-c.slots })
	return c.Conn.Close()
}

// peeked is a connection of which some bytes are read ahead.
type peeked struct {
	net.Conn
	from *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) {
	if p.from != nil && p.from.Buffered() == 0 {
		p.from = nil
	}
	if p.from == nil {
		return p.Conn.Read(b)
	}
	return p.from.Read(b)
}
