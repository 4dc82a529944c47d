package mailbox

import (
	"maps"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// given knows which messages are given out at present.
type given struct {
	mu      sync.Mutex
	until   map[string]time.Time // message id → hidden until
	settled map[string]time.Time // message id → when: a lane may hold an older view of the mailbox
	opened  time.Time            // when the region came up
}

// Give hides for a while, and returns, at most `most` of the waiting letters that are visible now, and how long until the next is
// visible again.
func (m *Mailbox) Give(waiting []Letter, most int, hidden time.Duration) (messages []wire.Message, again time.Duration) {
	return m.given.give(waiting, most, m.now(), hidden)
}

// Withdraw makes sure that a message does not reach its node any more. It returns false where the message may have done so
// already: it was given out, or posted before the region came up.
func (m *Mailbox) Withdraw(l Letter) bool { return m.given.withdraw(l) }

// longestAgain is how long a poll waits at most before it looks again, if no letter is hidden.
const longestAgain = time.Hour

func (g *given) give(waiting []Letter, most int, now time.Time, hidden time.Duration) (messages []wire.Message, again time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.until == nil {
		g.until = map[string]time.Time{}
	}
	again = longestAgain
	for _, l := range waiting {
		if _, over := g.settled[l.MessageId]; over {
			continue
		}
		until, out := g.until[l.MessageId]
		if out && now.Before(until) {
			again = min(again, until.Sub(now))
			continue
		}
		if len(messages) == most {
			break
		}
		g.until[l.MessageId] = now.Add(hidden)
		messages = append(messages, l.Message)
	}
	return messages, again
}

// forGood hides a withdrawn message.
const forGood = 100 * 365 * 24 * time.Hour

func (g *given) withdraw(l Letter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, out := g.until[l.MessageId]; out || l.Posted.Before(g.opened) {
		return false
	}
	if g.until == nil {
		g.until = map[string]time.Time{}
	}
	g.until[l.MessageId] = l.Posted.Add(forGood)
	return true
}

// Views of the mailbox last for moments; of settled messages so many are remembered, and those of the last minute.
const (
	mostSettled = 2000
	viewLife    = time.Minute
)

// forget drops a settled message. Withdrawn ones stay: a poll may hold an older view of the mailbox.
func (g *given) forget(id string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.settled == nil {
		g.settled = map[string]time.Time{}
	}
	if g.settled[id] = now; len(g.settled) > mostSettled {
		maps.DeleteFunc(g.settled, func(_ string, at time.Time) bool { return now.Sub(at) > viewLife })
	}
	if g.until[id].Sub(now) < forGood/2 {
		delete(g.until, id)
	}
}
