package local

import (
	"net/http"
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

// calls counts requests by operation and, in tests, keeps them.
type calls struct {
	bodies bool
	mu     sync.Mutex
	count  map[string]int
	kept   map[string][]Call
}

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
