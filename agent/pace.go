package agent

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// stuckAfter is how long a loop may be at one piece of work before the agent no longer calls itself alive.
const stuckAfter = 30 * time.Second

// pace knows whether the agent's own loops progress. A loop says when it begins a piece of work and when it is back to
// waiting; waiting, for the network too, is never held against it.
type pace struct {
	start time.Time // a monotonic origin
	mu    sync.Mutex
	loops []*loop
}

type loop struct {
	name  string
	since atomic.Int64 // nanoseconds after start when the work began; 0: waiting
}

func newPace() *pace { return &pace{start: time.Now()} }

// loop makes a new one; the func is called with true before work and false after it, by one goroutine.
func (p *pace) loop(name string) func(busy bool) {
	l := &loop{name: name}
	p.mu.Lock()
	p.loops = append(p.loops, l)
	p.mu.Unlock()
	return func(busy bool) {
		if !busy {
			l.since.Store(0)
			return
		}
		l.since.Store(max(1, int64(time.Since(p.start))))
	}
}

// stuck names a loop that does not progress.
func (p *pace) stuck() (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.loops {
		since := l.since.Load()
		if took := time.Since(p.start) - time.Duration(since); since > 0 && took > stuckAfter {
			return fmt.Sprintf("%s has been at one piece of work for %s", l.name, took.Round(time.Second)), true
		}
	}
	return "", false
}
