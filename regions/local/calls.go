package local

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// Call is one request that was answered, for tests.
type Call struct {
	Operation string // "SendReply", "GetObject", …
	Path      string // as sent, with the query
	At        time.Time
	Header    http.Header
	Body      []byte // JSON and query protocol only
	Status    int    // 0: the connection was dropped
	Code      string // error code, empty on success
}

// keep is how many calls per operation are remembered.
const keep = 1000

// Seen is one answered request in the log that every region keeps.
type Seen struct {
	Number    int64 // counts from 1
	At        time.Time
	Operation string
	Path      string // without the query, at most 200 bytes
	Who       string // a node's id, "administrator", "anonymous"; empty: refused before that was known
	Status    int    // 0: the connection was dropped
	Code      string // error code, empty on success
	Took      time.Duration
}

// Sizes of the log.
const (
	seenKept  = 500
	pathShown = 200
)

// callsKey is the key of records that is signalled after each call.
const callsKey = "calls"

// calls counts requests by operation, keeps the log of the last ones and, in tests, whole requests.
type calls struct {
	bodies bool
	mu     sync.Mutex
	count  map[string]int
	kept   map[string][]Call
	seen   []Seen // a ring: number n lies at (n-1) % seenKept
	number int64
}

// see takes a call into the log.
func (c *calls) see(s Seen) {
	s.Path = strings.Clone(s.Path[:min(len(s.Path), pathShown)]) // the rest of the request goes
	c.mu.Lock()
	defer c.mu.Unlock()
	c.number++
	s.Number = c.number
	if len(c.seen) < seenKept {
		c.seen = append(c.seen, s)
		return
	}
	c.seen[(s.Number-1)%seenKept] = s
}

// Log is the last answered requests, the newest first, at most 500.
func (r *Region) Log() []Seen {
	c := &r.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]Seen, 0, len(c.seen))
	for n := c.number; n > c.number-int64(len(c.seen)); n-- {
		list = append(list, c.seen[(n-1)%seenKept])
	}
	return list
}

// Called returns a channel that is closed by the next answered request.
func (r *Region) Called() <-chan struct{} { return r.records.Changed(callsKey) }

func (c *calls) add(call Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == nil {
		c.count, c.kept = map[string]int{}, map[string][]Call{}
	}
	c.count[call.Operation]++
	if !c.bodies {
		return
	}
	list := c.kept[call.Operation]
	if len(list) >= keep {
		list = append(list[:0], list[keep/2:]...)
	}
	c.kept[call.Operation] = append(list, call)
}

// Calls are the answered requests of an operation, oldest first; at least the last 500 are kept. Needs Options.Record.
func (r *Region) Calls(operation string) []Call {
	r.calls.mu.Lock()
	defer r.calls.mu.Unlock()
	return append([]Call(nil), r.calls.kept[operation]...)
}

// Count is how many requests of an operation were answered since Open.
func (r *Region) Count(operation string) int {
	r.calls.mu.Lock()
	defer r.calls.mu.Unlock()
	return r.calls.count[operation]
}
