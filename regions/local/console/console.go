package console

import (
	"cmp"
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// Options say where a console listens. The zero value is usable.
type Options struct {
	Listen string           // address and port; empty: 127.0.0.1 and a free port. Beyond loopback it speaks TLS only
	Log    *slog.Logger     // empty: silent; one-time addresses are never logged
	Clock  func() time.Time // of one-time addresses and sessions; empty: time.Now

	Quiet    time.Duration // least time between two updates of a page; 0: 300 ms
	Patience time.Duration // a reader that takes nothing for so long is let go; 0: 20 s
}

// Limits of the port.
const (
	headerTime  = 10 * time.Second
	requestTime = 30 * time.Second
	idleTime    = 2 * time.Minute
	connections = 128

	quietUsual    = 300 * time.Millisecond
	patienceUsual = 20 * time.Second
)

// Console is a page that is being served. Its methods may be called from any goroutine.
type Console struct {
	region   *local.Region
	log      *slog.Logger
	now      func() time.Time
	quiet    time.Duration
	patience time.Duration

	scheme string
	hosts  []string // host:port it answers to; the first is shown
	secure bool

	doorFile string
	doorKey  string

	entry   entry
	streams streams
	seen    histories
	pages   map[string]page

	templates map[string]*template.Template
	assets    map[string]asset

	server  *http.Server
	cancel  context.CancelFunc
	done    sync.WaitGroup
	closing sync.Once
}

// Open serves the page of a region. Errors: those of net.Listen, as a fault that --console mends.
func Open(region *local.Region, o Options) (*Console, error) {
	c := &Console{region: region, log: o.Log, now: o.Clock, quiet: cmp.Or(o.Quiet, quietUsual), patience: cmp.Or(o.Patience, patienceUsual)}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	c.entry.now = c.now
	c.pages, c.templates, c.assets = c.table(), templates(), assets()
	listeners, err := c.listen(cmp.Or(o.Listen, "127.0.0.1:0"))
	if err != nil {
		return nil, err
	}
	if err := c.hang(dialable(listeners[0])); err != nil {
		return nil, errors.Join(err, closeAll(listeners))
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.server = &http.Server{Handler: c, BaseContext: func(net.Listener) context.Context { return ctx }, ReadHeaderTimeout: headerTime,
		ReadTimeout: requestTime, IdleTimeout: idleTime, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(c.log.Handler(), slog.LevelDebug)}
	slots := make(chan struct{}, connections)
	for _, l := range listeners {
		c.done.Go(func() { _ = c.server.Serve(bounded{l, slots}) })
	}
	return c, nil
}

// URL is the console's address. It opens with a one-time address only, see [Console.Link].
func (c *Console) URL() string { return c.scheme + "://" + c.hosts[0] }

// Link makes a one-time address: the first browser that opens it within 60 s is let in.
func (c *Console) Link() string { return c.URL() + "/enter/" + c.entry.ticket() }

// Close ends serving; streams end at once.
func (c *Console) Close() (err error) {
	c.closing.Do(func() {
		c.cancel()
		err = c.server.Close()
		c.done.Wait()
		err = errors.Join(err, os.Remove(c.doorFile))
	})
	return err
}

// bounded is a listener with a limit on connections; more are closed.
type bounded struct {
	net.Listener
	slots chan struct{}
}

func (b bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.slots <- struct{}{}:
			return &slotted{Conn: conn, slots: b.slots}, nil
		default:
			conn.Close()
		}
	}
}

// slotted is a connection that gives its slot back when it is closed.
type slotted struct {
	net.Conn
	slots chan struct{}
	once  sync.Once
}

func (s *slotted) Close() error {
	s.once.Do(func() { <-s.slots })
	return s.Conn.Close()
}

// cannotListen is a port that is not to be had.
func cannotListen(err error) error {
	return fault.Wrap(fault.Busy, err, "another program serves there, or the address is not this machine's: choose one with --console, "+
		"or --console off")
}

// portOf is the port of a listener.
func portOf(l net.Listener) string { return strconv.Itoa(l.Addr().(*net.TCPAddr).Port) }

// dialable is the address at which this machine reaches a listener.
func dialable(l net.Listener) string {
	at := l.Addr().(*net.TCPAddr)
	if at.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", portOf(l))
	}
	return at.String()
}

// closeAll gives listeners up.
func closeAll(listeners []net.Listener) error {
	var errs []error
	for _, l := range listeners {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
