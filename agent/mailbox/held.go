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

// hold puts a command at the end of those that wait. A copy of one that waits is dropped. What waits here is at most the rest of one
// poll: the next follows when all of it has a place.
func (l *polled) hold(m Message) {
	if slices.ContainsFunc(l.held, func(h Message) bool { return h.ID == m.ID }) {
		return
	}
	if len(l.held) == 0 {
		l.Log.Warn("no place for another command, it waits unacknowledged, and polling stops", "messageID", m.ID)
	}
	l.held = append(l.held, m)
}

// untilNoneHeld returns when no command waits here, or with the context.
func (l *polled) untilNoneHeld(ctx context.Context) {
	for l.holds() && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-l.placed:
		}
	}
}

func (l *polled) holds() bool {
	l.handling.Lock()
	defer l.handling.Unlock()
	return len(l.held) > 0
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
	signal(l.placed)
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
			_ = l.ack(ctx, m.ID)
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
