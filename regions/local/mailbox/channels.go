package mailbox

import "sync"

// channels knows the nodes that have a control channel open: their letters go there and nowhere else.
type channels struct {
	mu   sync.Mutex
	open map[string]int // node → how many
}

// Open notes a control channel of a node until the result is called. While there is one, polls bring nothing.
func (m *Mailbox) Open(node string) (closed func()) {
	m.channels.add(node, 1)
	m.records.Signal(signalOf(node))
	return sync.OnceFunc(func() {
		m.channels.add(node, -1)
		m.records.Signal(signalOf(node))
	})
}

// HasChannel tells whether a node has a control channel open.
func (m *Mailbox) HasChannel(node string) bool {
	m.channels.mu.Lock()
	defer m.channels.mu.Unlock()
	return m.channels.open[node] > 0
}

func (c *channels) add(node string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open == nil {
		c.open = map[string]int{}
	}
	if c.open[node] += n; c.open[node] == 0 {
		delete(c.open, node)
	}
}

// Release makes letters visible again that were given out over a channel which is gone.
func (m *Mailbox) Release(ids []string) {
	g, now := &m.given, m.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range ids {
		if until, out := g.until[id]; out && until.Sub(now) < forGood/2 {
			g.until[id] = now
		}
	}
}
