package local

import (
	"context"
	"net"
	"net/http"
)

// listen starts serving.
func (r *Region) listen(address string) error {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.listener, r.cancel = l, cancel
	r.server = &http.Server{Handler: r, BaseContext: func(net.Listener) context.Context { return ctx }}
	r.done.Go(func() { _ = r.server.Serve(l) })
	return nil
}
