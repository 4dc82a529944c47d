package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// queueOptions are what a queue is built with; all are needed but prestart.
type queueOptions struct {
	journal *journal.Journal
	lanes   []mailbox.Lane
	workers int // at once
	places  int // for those that wait behind them; 0: mostWaiting
	room    int // for those that wait, in bytes of their state files and messages; 0: mostRoom
	parse   func(mailbox.Message) (*journal.Job, error)
	// run works on a command until it is answered or the context ends. hold keeps the queue from taking and beginning commands
	// until its result is called.
	run      func(ctx context.Context, c *command, hold func() (release func()))
	prestart func(id host.Name) *prestarted // begins to start a worker
	now      func() time.Time
	log      *slog.Logger
}

// How many commands wait for their turn, at most. They wait on disk, acknowledged: a command that stayed with its lane would come
// again after its visibility time, ten seconds later. In memory stays what names them.
const (
	mostWaiting = 10_000
	mostRoom    = 64 << 20
)

// queue takes commands from the lanes, first come first served: so many at once, so many waiting, the next is refused.
type queue struct {
	queueOptions
	ctx  context.Context // of all work
	busy sync.WaitGroup

	mu      sync.Mutex
	holds   int                 // above 0: no command is taken or begun
	open    map[string]*command // by message id
	byID    map[string]*command // the same by command id
	waiting []*command
	size    int // of the waiting ones, in bytes
	running int
	unkept  map[string]time.Time // message ids of commands that no disk took and that ran
}

func newQueue(ctx context.Context, o queueOptions) *queue {
	if o.prestart == nil {
		o.prestart = func(host.Name) *prestarted { return nil }
	}
	if o.places == 0 {
		o.places = mostWaiting
	}
	if o.room == 0 {
		o.room = mostRoom
	}
	return &queue{queueOptions: o, ctx: ctx, open: map[string]*command{}, byID: map[string]*command{}, unkept: map[string]time.Time{}}
}

// command is a job in hand.
type command struct {
	*journal.Job
	resumed    bool
	size       int         // of its state file when it came, in bytes; under queue.mu
	prestarted *prestarted // may be nil

	mu     sync.Mutex // guards the job's content and what follows
	brief  bool       // the job is what names it; wake reads the rest
	worker *runner.Worker
	over   bool // answered and forgotten by the journal: it must not be written there again
	freed  bool // gave its place back; under queue.mu
}

func (c *command) messageID() string { return c.DocumentInformation.MessageID }

// rest leaves on disk what is not needed while a command waits.
func (c *command) rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Job, c.brief = c.Brief(), true
}

// wake reads what rest left on disk. Under c.mu.
func (c *command) wake(j *journal.Journal) error {
	if !c.brief {
		return nil
	}
	job, err := j.Waiting(c.ID())
	if err != nil {
		return err
	}
	*c.Job, c.brief = *job, false
	return nil
}

// accept is what the lanes call, a [mailbox.Accept].
func (q *queue) accept(ctx context.Context, m mailbox.Message) error {
	if strings.HasPrefix(m.Topic, wire.TopicCancelCommand) {
		return q.acceptCancel(m)
	}
	job, err := q.parseSafely(m)
	if errors.Is(err, journal.ErrName) {
		return err // a command's id that is none: there is no command to answer
	}
	if err != nil {
		return &mailbox.Rejected{Trace: err.Error()}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.holds > 0 || ctx.Err() != nil:
		return mailbox.ErrClosed
	case q.open[m.ID] != nil, q.ranWithoutDisk(m.ID), q.journal.Seen(journal.SendCommand, job.ID()):
		q.journal.Remember(journal.SendCommand, job.ID(), q.now())
		return mailbox.ErrDuplicate
	case q.running >= q.workers && !q.fits(len(m.Payload)):
		return mailbox.ErrFull
	}
	c := &command{Job: job}
	c.SsmSetup.Cancelled = q.journal.Seen(journal.CancelCommand, job.ID())
	if q.running < q.workers && len(q.waiting) == 0 && !c.SsmSetup.Cancelled {
		c.prestarted = q.prestart(job.ID()) // while the disk is busy
	}
	if err := q.journal.Accept(job); err != nil {
		c.prestarted.abandon()
		c.prestarted = nil
		return q.withoutDisk(c, err)
	}
	q.log.Info("command accepted", "messageID", m.ID, "document", job.DocumentInformation.DocumentName)
	if c.SsmSetup.Cancelled { // its cancel came first: it is answered at once and needs no place
		q.note(c)
		c.freed = true
		q.begin(c)
		return nil
	}
	q.enqueue(c)
	return nil
}

// fits tells whether one more command of that size can wait: the first always can. Under mu.
func (q *queue) fits(size int) bool {
	return len(q.waiting) == 0 || len(q.waiting) < q.places && q.size+size <= q.room
}

// parseSafely rejects a message that makes the parser panic like any other that cannot be parsed. Otherwise one message would end
// this agent, then the next one, and so the version.
func (q *queue) parseSafely(m mailbox.Message) (job *journal.Job, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			q.log.Error("message cannot be parsed", "messageID", m.ID, "panic", cause, "stack", string(debug.Stack()))
			err = fmt.Errorf("encountered error while parsing input - internal error %v", cause)
		}
	}()
	return q.parse(m)
}

// resume takes up loaded jobs: those that ran have a place whatever the limit, the others wait in their order.
func (q *queue) resume(l journal.Loaded) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, job := range l.Current {
		c := &command{Job: job, resumed: true}
		q.note(c)
		q.running++
		q.begin(c)
	}
	for _, job := range l.Pending {
		q.enqueue(&command{Job: job})
	}
}

// enqueue lets a command begin, or wait. Under mu.
func (q *queue) enqueue(c *command) {
	q.note(c)
	q.waiting = append(q.waiting, c)
	c.size = c.Size()
	q.size += c.size
	q.next()
	if len(q.waiting) > 0 && q.waiting[len(q.waiting)-1] == c && !c.InMemory() {
		c.rest()
	}
}

// note takes a command in hand. Under mu.
func (q *queue) note(c *command) { q.open[c.messageID()], q.byID[c.ID().String()] = c, c }

// next begins what has a place. Under mu.
func (q *queue) next() {
	for q.holds == 0 && q.ctx.Err() == nil && q.running < q.workers && len(q.waiting) > 0 {
		c := q.waiting[0]
		q.leave(0)
		q.running++
		q.begin(c)
	}
}

// leave takes a command out of those that wait. Under mu.
func (q *queue) leave(place int) {
	q.size -= q.waiting[place].size
	q.waiting = slices.Delete(q.waiting, place, place+1)
}

func (q *queue) begin(c *command) {
	q.busy.Go(func() {
		q.run(q.ctx, c, q.hold)
		if q.ctx.Err() == nil {
			q.forget(c)
		}
		q.free(c)
	})
}

// free gives a command's place to the next.
func (q *queue) free(c *command) {
	q.mu.Lock()
	if !c.freed {
		c.freed = true
		q.running--
		q.next()
	}
	q.mu.Unlock()
	for _, l := range q.lanes {
		l.Room()
	}
}

func (q *queue) forget(c *command) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.open, c.messageID())
	delete(q.byID, c.ID().String())
}

// isOpen tells whether a command id belongs to a command in hand.
func (q *queue) isOpen(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.byID[id] != nil
}

// probe would hang if the queue did.
func (q *queue) probe() {
	q.mu.Lock()
	defer q.mu.Unlock()
}

// hold takes and begins no commands until the result is called; what runs goes on.
func (q *queue) hold() (release func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.holds++
	return sync.OnceFunc(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.holds--
		q.next()
	})
}

// close takes nothing more and waits for the work in hand.
func (q *queue) close() {
	q.hold()
	q.busy.Wait()
}
