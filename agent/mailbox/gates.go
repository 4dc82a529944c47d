package mailbox

import (
	"context"
	"sync"
)

// gates hold back the replies about a message until its first one, InProgress, is sent. The zero value holds back nothing.
type gates struct {
	mu   sync.Mutex
	shut map[string]chan struct{} // by the message's id
}

// open makes replies about a message wait until the returned func is called.
func (g *gates) open(id string) (opened func()) {
	gate := make(chan struct{})
	g.mu.Lock()
	if g.shut == nil {
		g.shut = map[string]chan struct{}{}
	}
	g.shut[id] = gate
	g.mu.Unlock()
	return sync.OnceFunc(func() {
		g.mu.Lock()
		delete(g.shut, id)
		g.mu.Unlock()
		close(gate)
	})
}

// wait returns when a message's replies may go, or with the context's error.
func (g *gates) wait(ctx context.Context, id string) error {
	g.mu.Lock()
	gate := g.shut[id]
	g.mu.Unlock()
	if gate == nil {
		return nil
	}
	select {
	case <-gate:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
