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
	r.records.SignalAll()
}
