package mailbox

import (
	"context"
	"slices"
	"sync"
)

// Limits of what came over a channel and was not offered yet. What is beyond them comes again.
const (
	mostInLine  = 20_000
	mostOfLine  = 64 << 20 // bytes
	lineOfOwner = 512      // bytes that a message takes besides its payload
)

// line are messages that wait to be offered, in the order in which they came: so the channel is read on whatever the queue does.
type line struct {
	mu       sync.Mutex
	messages []received
	size     int
	came     chan struct{}
}

// received is a message with what acknowledges it.
type received struct {
	Message
	frame   string // id of its frame
	created string // date of its frame, ISO ms
}

func newLine() *line { return &line{came: make(chan struct{}, 1)} }

// add puts a message at the end. A copy of one that waits is dropped, as is what has no place.
func (l *line) add(m received) {
	l.mu.Lock()
	defer l.mu.Unlock()
	size := len(m.Payload) + lineOfOwner
	if len(l.messages) >= mostInLine || l.size+size > mostOfLine ||
		slices.ContainsFunc(l.messages, func(o received) bool { return o.ID == m.ID && m.ID != "" }) {
		return
	}
	l.messages = append(l.messages, m)
	l.size += size
	signal(l.came)
}

// next takes the first message, once there is one; false: the context ended.
func (l *line) next(ctx context.Context) (m received, ok bool) {
	for ctx.Err() == nil {
		l.mu.Lock()
		if len(l.messages) > 0 {
			m, l.messages = l.messages[0], l.messages[1:]
			l.size -= len(m.Payload) + lineOfOwner
			if len(l.messages) == 0 {
				l.messages = nil
			}
			l.mu.Unlock()
			return m, true
		}
		l.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-l.came:
		}
	}
	return received{}, false
}
