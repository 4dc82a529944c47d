// Package watchdog tells whether the agent's own loops progress.
//
// Parties: a loop that could get stuck has a [Guard] and says when it begins a piece of work, when the work is done, and when it
// waits for the world outside in the middle of it. The heartbeat asks [Watchdog.Stuck] before every beat and falls silent while a
// loop is stuck; the launcher then replaces the process.
//
// What must always be true: waiting, for the network above all, is never held against a loop; a loop that works is stuck after 30 s.
// The room keeps nothing on disk.
package watchdog

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// stuckAfter is how long a loop may be at one piece of work before the agent no longer calls itself alive.
const stuckAfter = 30 * time.Second

// Watchdog knows the guards of all loops. It is safe for concurrent use.
type Watchdog struct {
	now    func() time.Time
	start  time.Time
	mu     sync.Mutex
	guards []*Guard
}

// New begins to watch. now needs a monotonic clock; nil: time.Now.
func New(now func() time.Time) *Watchdog {
	if now == nil {
		now = time.Now
	}
	return &Watchdog{now: now, start: now()}
}

// Guard makes the guard of a loop; name is for the log.
func (w *Watchdog) Guard(name string) *Guard {
	g := &Guard{name: name, age: w.age}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.guards = append(w.guards, g)
	return g
}

// age is the time since the start.
func (w *Watchdog) age() time.Duration { return w.now().Sub(w.start) }

// Stuck names a loop that does not progress, with how long it has been at its work.
func (w *Watchdog) Stuck() (what string, stuck bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, g := range w.guards {
		since := time.Duration(g.since.Load())
		if took := w.age() - since; since > 0 && took > stuckAfter {
			return fmt.Sprintf("%s has been at one piece of work for %s", g.name, took.Round(time.Second)), true
		}
	}
	return "", false
}

// Guard belongs to one loop. A nil guard watches nothing.
type Guard struct {
	name  string
	age   func() time.Duration
	since atomic.Int64 // age of the watchdog, in nanoseconds, when the work began; 0: the loop waits
}

// Enter says that a piece of work begins: from here on progress is owed.
func (g *Guard) Enter() {
	if g != nil {
		g.since.Store(max(1, int64(g.age())))
	}
}

// Leave says that the work is done and the loop waits for more.
func (g *Guard) Leave() {
	if g != nil {
		g.since.Store(0)
	}
}

// Waiting says that the loop waits for the world outside in the middle of a piece of work; the returned function says that it is
// back, and progress is owed anew.
func (g *Guard) Waiting() (back func()) {
	g.Leave()
	return g.Enter
}
