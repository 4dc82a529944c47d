package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// cancelGrace is how long a cancelled command keeps its place while its worker comes to an end (spec runcommand 10).
const cancelGrace = 10 * time.Second

// desk takes commands from the lanes, first come first served: so many at once, so many waiting, the next is refused.
type desk struct {
	journal *journal.Journal
	workers int // at once
	buffer  int // waiting behind them
	lanes   []mailbox.Lane
	parse   func(mailbox.Message) (*journal.Job, error)
	work    func(context.Context, *command) // until the command is answered or the context ends
	ahead   func(id string) *headStart      // begins to start a worker; nil: none
	now     func() time.Time
	log     *slog.Logger

	ctx  context.Context // of all work
	busy sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	open    map[string]*command // by message id
	queue   []*command
	running int
}

// command is a job in hand.
type command struct {
	*journal.Job
	resumed bool
	ahead   *headStart // may be nil

	mu     sync.Mutex // guards the job's content and what follows
	worker *runner.Worker
	over   bool // answered and forgotten by the journal: nothing may write it there again
	freed  bool // gave its place back; under desk.mu
}

func (c *command) id() string { return c.DocumentInformation.MessageID }

// Accept is what the lanes call.
func (d *desk) Accept(ctx context.Context, m mailbox.Message) error {
	if strings.HasPrefix(m.Topic, wire.TopicCancelCommand) {
		return d.acceptCancel(m)
	}
	job, err := d.read(m)
	if err != nil {
		return &mailbox.Rejected{Trace: err.Error()}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed || ctx.Err() != nil:
		return mailbox.ErrClosed
	case d.open[m.ID] != nil, d.journal.Seen(journal.SendCommand, job.ID()):
		d.journal.Remember(journal.SendCommand, job.ID(), d.now())
		return mailbox.ErrDuplicate
	case d.running >= d.workers && len(d.queue) >= d.buffer:
		return mailbox.ErrFull
	}
	c := &command{Job: job}
	c.SsmSetup.Cancelled = d.journal.Seen(journal.CancelCommand, job.ID())
	if d.running < d.workers && len(d.queue) == 0 && !c.SsmSetup.Cancelled {
		c.ahead = d.ahead(job.ID()) // while the disk is busy
	}
	if err := d.journal.Accept(job); err != nil {
		c.ahead.abandon()
		return err
	}
	d.log.Info("command accepted", "messageID", m.ID, "document", job.DocumentInformation.DocumentName)
	d.enqueue(c)
	return nil
}

// read parses. A message that brings the parser down is rejected like any other: it must not bring the agent down, with
// it the next one, and so the version.
func (d *desk) read(m mailbox.Message) (job *journal.Job, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			d.log.Error("message cannot be parsed", "messageID", m.ID, "panic", cause, "stack", string(debug.Stack()))
			err = fmt.Errorf("encountered error while parsing input - internal error %v", cause)
		}
	}()
	return d.parse(m)
}

// enqueue lets a command begin, or wait. Under mu.
func (d *desk) enqueue(c *command) {
	d.open[c.id()] = c
	d.queue = append(d.queue, c)
	d.next()
}

// next begins what has a place. Under mu.
func (d *desk) next() {
	for !d.closed && d.ctx.Err() == nil && d.running < d.workers && len(d.queue) > 0 {
		c := d.queue[0]
		d.queue = d.queue[1:]
		d.running++
		d.begin(c)
	}
}

func (d *desk) begin(c *command) {
	d.busy.Go(func() {
		d.work(d.ctx, c)
		if d.ctx.Err() == nil {
			d.forget(c)
		}
		d.free(c)
	})
}

// free gives a command's place to the next.
func (d *desk) free(c *command) {
	d.mu.Lock()
	if !c.freed {
		c.freed = true
		d.running--
		d.next()
	}
	d.mu.Unlock()
	for _, l := range d.lanes {
		l.Room()
	}
}

func (d *desk) forget(c *command) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, c.id())
}

// acceptCancel marks the command that a cancel is for. One for a command that never came waits for it: where the answer of a
// poll was lost on its way, the cancel of a command may come before the command does.
func (d *desk) acceptCancel(m mailbox.Message) error {
	var cancel wire.CancelCommand
	if err := json.Unmarshal([]byte(m.Payload), &cancel); err != nil {
		return fmt.Errorf("%w: %w", mailbox.ErrUnreadable, err)
	}
	id := wire.CommandID(m.ID)
	if d.journal.Seen(journal.CancelCommand, id) {
		return mailbox.ErrDuplicate
	}
	if err := d.cancel(cancel.CancelMessageId); err != nil {
		return err
	}
	err := d.journal.Mark(journal.CancelCommand, id)
	if errors.Is(err, journal.ErrName) {
		return nil // an odd id; at worst the cancel comes again
	}
	return err
}

// cancel ends a command: waiting ones are answered at once, running ones by their worker. The wish is on disk first.
func (d *desk) cancel(messageID string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.open[messageID]
	if c == nil {
		d.log.Info("cancel for a command that is not open", "messageID", messageID)
		return d.cancelAhead(messageID)
	}
	d.log.Info("command is cancelled", "messageID", messageID)
	if err := d.markCancelled(c); err != nil {
		return err
	}
	for i, q := range d.queue {
		if q == c {
			d.queue = append(d.queue[:i:i], d.queue[i+1:]...)
			c.freed = true // it never had a place
			d.begin(c)
			return nil
		}
	}
	timer := time.AfterFunc(cancelGrace, func() { d.free(c) })
	context.AfterFunc(d.ctx, func() { timer.Stop() })
	return nil
}

// cancelAhead notes the cancel of a command that did not come yet, under the command's own id.
func (d *desk) cancelAhead(messageID string) error {
	id := wire.CommandID(messageID)
	if id == messageID || d.journal.Seen(journal.SendCommand, id) {
		return nil // no command's, or one that was answered
	}
	if err := d.journal.Mark(journal.CancelCommand, id); !errors.Is(err, journal.ErrName) {
		return err
	}
	return nil
}

func (d *desk) markCancelled(c *command) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return nil // the cancel came too late
	}
	c.SsmSetup.Cancelled = true
	if c.worker != nil {
		if err := c.worker.Cancel(); err != nil {
			d.log.Error("worker cannot be told to stop", "messageID", c.id(), "error", err)
		}
	}
	return d.journal.Save(c.Job)
}

// isOpen tells whether a command id belongs to a command in hand.
func (d *desk) isOpen(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.open {
		if c.ID() == id {
			return true
		}
	}
	return false
}

// setClosed stops or resumes the taking of commands; what runs goes on.
func (d *desk) setClosed(closed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = closed
	d.next()
}

// lane finds the lane that a command came by.
func (d *desk) lane(name string) mailbox.Lane {
	for _, l := range d.lanes {
		if l.Name() == name {
			return l
		}
	}
	return d.lanes[0]
}
