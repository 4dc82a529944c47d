package console

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
)

// name is the host name of the console on loopback. Browsers take names below localhost for this machine, without asking DNS.
const name = "console.localhost"

// listenTries is how often a free port is looked for that both loopback addresses have.
const listenTries = 20

// listen opens the port and settles which names it answers to. On loopback it takes the port on 127.0.0.1 and on ::1: a browser may
// choose either, and the other must not be left to another program of this machine.
func (c *Console) listen(address string) ([]net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if !loopback(host) {
		return c.listenTLS(address)
	}
	c.scheme = "http"
	for try := 1; ; try++ {
		listeners, err := both(port)
		if err == nil {
			c.hosts = []string{net.JoinHostPort(name, portOf(listeners[0]))}
			return listeners, nil
		}
		if port != "0" || try == listenTries {
			return nil, cannotListen(err)
		}
	}
}

func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// both listens on both loopback addresses; on 127.0.0.1 alone where there is no IPv6.
func both(port string) ([]net.Listener, error) {
	var config net.ListenConfig
	four, err := config.Listen(context.Background(), "tcp4", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, err
	}
	six, err := config.Listen(context.Background(), "tcp6", net.JoinHostPort("::1", portOf(four)))
	if err == nil {
		return []net.Listener{four, six}, nil
	}
	// Systems name a taken port differently: where another port can be had on ::1, this one is taken.
	if probe, none := config.Listen(context.Background(), "tcp6", "[::1]:0"); none == nil {
		return nil, errors.Join(err, probe.Close(), four.Close())
	}
	return []net.Listener{four}, nil
}

// listenTLS serves beyond loopback, with a certificate of the region's own CA.
func (c *Console) listenTLS(address string) ([]net.Listener, error) {
	config, names, err := c.region.TLSFor(address)
	if err != nil {
		return nil, err
	}
	var network net.ListenConfig
	l, err := network.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, cannotListen(err)
	}
	c.scheme, c.secure = "https", true
	if host, _, _ := net.SplitHostPort(address); host != "" && !net.ParseIP(host).IsUnspecified() {
		c.hosts = append(c.hosts, net.JoinHostPort(host, portOf(l))) // the name that was asked for is shown
	}
	for _, n := range names {
		if ip := net.ParseIP(n); !loopback(n) || ip == nil && n == name {
			c.hosts = append(c.hosts, net.JoinHostPort(n, portOf(l)))
		}
	}
	c.hosts = append(c.hosts, net.JoinHostPort(name, portOf(l)))
	if portOf(l) == "443" { // browsers leave it out
		for _, h := range c.hosts {
			c.hosts = append(c.hosts, strings.TrimSuffix(h, ":443"))
		}
	}
	return []net.Listener{tls.NewListener(l, config)}, nil
}
