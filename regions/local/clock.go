package local

import (
	"sync"
	"time"
)

// clock is a base clock and how far it was moved.
type clock struct {
	base  func() time.Time // nil: time.Now
	mu    sync.Mutex
	moved time.Duration // by Advance
	skew  time.Duration // by Skew
}

// now is the time of everything the region remembers.
func (c *clock) now() time.Time { return c.at(func() time.Duration { return c.moved }) }

// signing is the time signatures are held against; the clients' clocks do not jump when a test advances the region's.
func (c *clock) signing() time.Time { return c.at(func() time.Duration { return c.skew }) }

func (c *clock) at(offset func() time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.base == nil {
		return time.Now().Add(offset())
	}
	return c.base().Add(offset())
}

// Skew sets how far the clock that signatures are held against (and the Date header) is ahead of the base clock.
func (r *Region) Skew(d time.Duration) {
	r.clock.mu.Lock()
	defer r.clock.mu.Unlock()
	r.clock.skew = d
}

// Advance moves the region's clock on (or back) and wakes every waiting call, so that what became due happens. The window
// of signatures does not move with it.
func (r *Region) Advance(d time.Duration) {
	r.clock.mu.Lock()
	r.clock.moved += d
	r.clock.mu.Unlock()
	r.waits.wakeAll()
}

// waits lets calls sleep until something happens to a key, for example an instance id.
type waits struct {
	mu   sync.Mutex
	open map[string]chan struct{}
}

// waiter returns a channel that is closed by the next wake of key. Take it before looking at the state, then look, then
// wait: so no wake is missed.
func (r *Region) waiter(key string) <-chan struct{} {
	w := &r.waits
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.open[key]; ok {
		return c
	}
	if w.open == nil {
		w.open = map[string]chan struct{}{}
	}
	c := make(chan struct{})
	w.open[key] = c
	return c
}

// wake ends the wait of everybody who waits for key.
func (r *Region) wake(key string) {
	w := &r.waits
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.open[key]; ok {
		close(c)
		delete(w.open, key)
	}
}

func (w *waits) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, c := range w.open {
		close(c)
		delete(w.open, key)
	}
}
