package mailbox

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// holdRetry is how often a command that waits for a place is tried without being asked to (docs/protocol/runcommand.md, "Handling
// one MDS message").
const holdRetry = 10 * time.Second

// maxHeld bounds what waits here; more stays with the service, which delivers it again.
const maxHeld = 64

// hold puts a command at the end of those that wait. A copy of one that waits is dropped.
func (l *polled) hold(m Message) {
	waits := slices.ContainsFunc(l.held, func(h Message) bool { return h.ID == m.ID })
	if waits || len(l.held) >= maxHeld {
		return
	}
	if len(l.held) == 0 {
		l.Log.Warn("no place for another command, it waits unacknowledged", "messageID", m.ID)
	}
	l.held = append(l.held, m)
}

// retryHeld offers the waiting commands again, first come first served, until one must wait on.
func (l *polled) retryHeld(ctx context.Context, accept Accept) {
	l.handling.Lock()
	defer l.handling.Unlock()
	for len(l.held) > 0 && ctx.Err() == nil {
		m := l.held[0]
		if err := l.offer(ctx, m, accept); errors.Is(err, ErrFull) {
			return
		}
		l.held = l.held[1:]
	}
}

// cancelHeld answers for a command that a cancel reaches while it waits.
func (l *polled) cancelHeld(ctx context.Context, payload string) {
	var cancel wire.CancelCommand
	if json.Unmarshal([]byte(payload), &cancel) != nil {
		return
	}
	for i, m := range l.held {
		if m.ID == cancel.CancelMessageId {
			l.held = slices.Delete(l.held, i, i+1)
			l.document(ctx, m.ID, seqWaited, wire.Cancelled, "")
			l.ack(ctx, m.ID)
			return
		}
	}
}

// heldLoop tries when a place may be free.
func (l *polled) heldLoop(ctx context.Context, accept Accept) {
	tick := time.NewTicker(holdRetry)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-l.room:
		}
		l.retryHeld(ctx, accept)
	}
}
