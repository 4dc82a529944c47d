package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// cancelGrace is how long a cancelled command keeps its place while its worker comes to an end (docs/protocol/runcommand.md,
// "Concurrency and shutdown").
const cancelGrace = 10 * time.Second

// acceptCancel marks the command that a cancel is for. One for a command that never came waits for it: where the answer of a
// poll was lost on its way, the cancel of a command may come before the command does.
func (q *queue) acceptCancel(m mailbox.Message) error {
	var cancel wire.CancelCommand
	if err := json.Unmarshal([]byte(m.Payload), &cancel); err != nil {
		return fmt.Errorf("%w: %w", mailbox.ErrUnreadable, err)
	}
	id, _ := host.CheckName(wire.CommandID(m.ID))
	if q.journal.Seen(journal.CancelCommand, id) {
		return mailbox.ErrDuplicate
	}
	if err := q.cancel(cancel.CancelMessageId); err != nil {
		return err
	}
	if err := q.journal.Mark(journal.CancelCommand, id); err != nil {
		q.log.Warn("cancel not marked as received; at worst it comes again", "messageID", m.ID, "error", err)
	}
	return nil
}

// cancel ends a command: waiting ones are answered at once, running ones by their worker. The order to cancel is on disk first.
func (q *queue) cancel(messageID string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.open[messageID]
	if c == nil {
		q.log.Info("cancel for a command that is not open", "messageID", messageID)
		return q.cancelEarly(messageID)
	}
	q.log.Info("command is cancelled", "messageID", messageID)
	waits := slices.Contains(q.waiting, c)
	if err := q.markCancelled(c); err != nil && !waits { // one that waits is answered now, whatever the disk says
		return err
	}
	if waits {
		q.leave(slices.Index(q.waiting, c))
		c.freed = true // it never had a place
		q.begin(c)
		return nil
	}
	timer := time.AfterFunc(cancelGrace, func() { q.free(c) })
	context.AfterFunc(q.ctx, func() { timer.Stop() })
	return nil
}

// cancelEarly notes the cancel of a command that did not come yet, under the command's own id.
func (q *queue) cancelEarly(messageID string) error {
	command := wire.CommandID(messageID)
	id, _ := host.CheckName(command)
	if command == messageID || q.journal.Seen(journal.SendCommand, id) {
		return nil // not the id of a command, or of one that was answered
	}
	if err := q.journal.Mark(journal.CancelCommand, id); !errors.Is(err, journal.ErrName) {
		return err
	}
	return nil
}

// markCancelled notes the order to cancel. Where the worker has it, no note on disk is needed: it comes to its end whatever becomes of
// this agent.
func (q *queue) markCancelled(c *command) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return nil // the cancel came too late
	}
	if err := c.wake(q.journal); err != nil {
		return err
	}
	c.SsmSetup.Cancelled = true
	told := false
	if c.worker != nil {
		if err := c.worker.Cancel(); err != nil {
			q.log.Error("worker cannot be told to stop", "messageID", c.messageID(), "error", err)
		} else {
			told = true
		}
	}
	err := q.journal.Save(c.Job)
	if err != nil && told {
		q.log.Warn("cancel not noted on disk; the worker has it", "messageID", c.messageID(), "error", err)
		return nil
	}
	return err
}
