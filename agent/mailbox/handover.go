package mailbox

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/watchdog"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// pollsOn is how long polls go on beside a channel that was opened (docs/protocol/runcommand.md, "MDS or MGS?"). When the channel is lost
// they begin again at once: the service brings commands by them then. (The original polls again only where the channel is denied.)
const pollsOn = time.Minute

// handover is what the two lanes know of each other: whether the channel of ssmmessages is open, and which lane offers a command now.
type handover struct {
	now func() time.Time

	accepting sync.Mutex // one command is offered at a time, whatever lane brings it

	mu      sync.Mutex
	open    bool
	denied  bool      // the service says that this node may have no channel
	since   time.Time // when that changed
	changed chan struct{}
	look    chan struct{} // the channel's lane looks for replies of an updater
}

func newHandover(now func() time.Time) *handover {
	return &handover{now: now, since: now(), changed: make(chan struct{}), look: make(chan struct{}, 1)}
}

// channel notes what became of the channel.
func (h *handover) channel(open, denied bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.denied = denied
	if h.open == open {
		return
	}
	h.open, h.since = open, h.now()
	close(h.changed)
	h.changed = make(chan struct{})
}

// isOpen tells whether the channel is open.
func (h *handover) isOpen() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open
}

// isDenied tells whether the service refused the channel the last time.
func (h *handover) isDenied() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.denied && !h.open
}

// untilPolled returns when ec2messages is to be polled, or with the context.
func (h *handover) untilPolled(ctx context.Context) {
	for ctx.Err() == nil {
		h.mu.Lock()
		rests, changed := h.open && h.now().Sub(h.since) >= pollsOn, h.changed
		h.mu.Unlock()
		if !rests {
			return
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
}

// offer offers a message to the queue: commands one after another, under the guard; a cancel waits for none of them.
func (h *handover) offer(ctx context.Context, m Message, accept Accept, guard *watchdog.Guard) error {
	if strings.HasPrefix(m.Topic, wire.TopicCancelCommand) {
		return accept(ctx, m)
	}
	h.accepting.Lock()
	defer h.accepting.Unlock()
	guard.Enter()
	defer guard.Leave()
	return accept(ctx, m)
}
