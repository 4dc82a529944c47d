package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Numbers of replies that are not about an event of a worker (those count from 1).
const (
	seqCancelled = -1 // cancelled before it ran
	seqGivenUp   = -2 // moved to corrupt
	seqNoWorker  = -3 // no worker could be started
	seqNoReboot  = -4 // the machine did not restart
)

// settle is how long after a step's reply the record of it may wait: mostly the end of the document follows at once, and
// then nothing need be recorded.
const settle = 100 * time.Millisecond

// settleRunning is how long a document runs before its worker is written down: most have ended by then.
const settleRunning = time.Second

// replyAgain is the pause after a reply that could neither be sent nor kept.
const replyAgain = 15 * time.Second

// executor takes commands from their workers to their last replies.
type executor struct {
	journal    *journal.Journal
	lanes      []mailbox.Lane
	assignment func(*journal.Job) runner.Assignment
	spec       runner.Spec // Executable, Argv0, Log
	agent      func() wire.AgentInfo
	rebooter   *rebooter
	finished   func(status string, id host.Name) // after every answered command
	now        func() time.Time
	booted     func() time.Time
	log        *slog.Logger
}

// run runs a command, or takes up one that an earlier agent ran, and reports what happens. It ends when the command is
// answered, or with the context: then the journal and the worker's folder hold everything the next agent needs.
func (x *executor) run(ctx context.Context, c *command, hold func() (release func())) {
	if err := x.wake(c); err != nil {
		x.failed(ctx, c, seqGivenUp, "the agent gave this command up: its state file cannot be read: "+err.Error())
		return
	}
	if c.SsmSetup.FinalReply != nil {
		x.sendFinal(ctx, c)
		return
	}
	if c.isCancelled() && !c.resumed {
		c.prestarted.abandon()
		x.cancelled(ctx, c)
		return
	}
	x.adoptReboot(c)
	if c.SsmSetup.RebootFrom != "" {
		if restarted := x.rebooter.wait(ctx, c); !restarted {
			if ctx.Err() == nil {
				x.failed(ctx, c, seqNoReboot, "the machine did not restart within ten minutes")
			}
			return
		}
		c.mu.Lock()
		c.SsmSetup.RebootFrom, c.SsmSetup.RebootAsked, c.DocumentInformation.DocumentStatus = "", time.Time{}, wire.InProgress
		c.mu.Unlock()
	}
	w, err := x.start(ctx, c)
	if err != nil && ctx.Err() == nil && x.moveToMemory(c, err) {
		w, err = x.start(ctx, c)
	}
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		x.log.Error("worker cannot be started", "messageID", c.messageID(), "error", err)
		x.failed(ctx, c, seqNoWorker, "the agent cannot start a worker for this document: "+err.Error())
		return
	}
	x.follow(ctx, c, w, hold)
}

func (x *executor) wake(c *command) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wake(x.journal)
}

func (c *command) isCancelled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.SsmSetup.Cancelled
}

// start begins a new command, or finds the worker of an older one.
func (x *executor) start(ctx context.Context, c *command) (*runner.Worker, error) {
	spec := x.workerSpec(c.Job)
	spec.After = c.SsmSetup.Told
	w, err := (*runner.Worker)(nil), x.journal.Begin(c.Job)
	if err == nil && x.isOriginals(c) {
		if w = x.takeOver(ctx, c, spec); w != nil {
			return x.assign(c, w)
		}
		err = x.goOn(c, &spec)
	}
	if err == nil && c.resumed {
		spec.Steps = x.assignment(c.Job).Steps
		if w, err = runner.Attach(ctx, spec); err == nil {
			return x.assign(c, w)
		}
		if c.InMemory() {
			return nil, fmt.Errorf("the agent was restarted before this command, which is kept in memory, began: %w", err)
		}
	}
	if err == nil || errors.Is(err, runner.ErrNotStarted) {
		err = runner.Prepare(spec.Dir, x.assignment(c.Job))
	}
	if err != nil {
		c.prestarted.abandon()
		return nil, err
	}
	if w = c.prestarted.start(ctx); w == nil {
		if w, err = runner.Start(ctx, spec); err != nil {
			return nil, err
		}
	}
	return x.assign(c, w)
}

func (x *executor) workerSpec(job *journal.Job) runner.Spec {
	spec := x.spec
	spec.Executable, spec.Dir, spec.Away = programFile(spec.Executable), x.journal.ChannelOf(job), x.journal.CancelAway(job.ID())
	return spec
}

// assign ties a worker to its command; a cancel that came before is handed on.
func (x *executor) assign(c *command, w *runner.Worker) (*runner.Worker, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.worker = w
	if c.SsmSetup.Cancelled {
		return w, w.Cancel()
	}
	return w, nil
}

// follow reports events until the document ends.
func (x *executor) follow(ctx context.Context, c *command, w *runner.Worker, hold func() (release func())) {
	save := time.After(settleRunning)
	for {
		select {
		case <-save:
			save = nil
			x.save(c)
		case e, ok := <-w.Events():
			switch {
			case !ok:
				if save != nil {
					x.save(c)
				}
				return
			case e.Kind == runner.Started:
				c.noteWorker(e)
			case e.Kind == runner.Step:
				if x.reply(ctx, c, e.Seq, runner.EventReply(x.head(), e)) != nil {
					return
				}
				c.noteReported(e)
				save = time.After(settle)
			case e.Forced:
				x.log.Error("document worker died", "messageID", c.messageID(), "output", x.lastOutput(c.Job))
				x.conclude(ctx, c, e.Seq, e, "")
				return
			case e.Kind == runner.Done && e.Status != wire.SuccessAndReboot:
				if x.reply(ctx, c, e.Seq, x.finalReply(e, unkeptNote(c.Job))) == nil {
					x.done(c, e.Status)
				}
				return
			case e.Kind == runner.Done && c.InMemory():
				x.failed(ctx, c, seqNoReboot, "a reboot was asked for, and none made, as it would end this command: "+unkeptNote(c.Job))
				return
			case e.Kind == runner.Done:
				x.rebooting(ctx, c, e, hold)
				return
			}
		}
	}
}

// lastOutput is the end of what a worker printed, for the log.
func (x *executor) lastOutput(job *journal.Job) string {
	const most = 2000
	text, _ := os.ReadFile(filepath.Join(x.journal.ChannelOf(job), "log"))
	return string(text[max(0, len(text)-most):])
}

// noteWorker remembers which process has the document, for an original agent that comes after this one: it would call the document
// dead. Ours asks the worker's lock.
func (c *command) noteWorker(e runner.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.DocumentInformation.ProcInfo = journal.Process{Pid: e.PID, StartTime: e.At}
}

// noteReported remembers that an event was reported.
func (c *command) noteReported(e runner.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.SsmSetup.Told = e.Seq
	if e.Kind == runner.Step && e.Step < len(c.InstancePluginsInformation) {
		c.InstancePluginsInformation[e.Step].Result, _ = json.Marshal(e.Result)
	}
}

func (x *executor) head() wire.AdditionalInfo { return runner.Head(x.agent(), x.now()) }

// reply hands a reply to the command's lane, again and again while it can neither be sent nor kept (no network and a full
// disk). The error is the context's: then the next agent tells it.
func (x *executor) reply(ctx context.Context, c *command, seq int, body wire.Reply) error {
	reply := mailbox.Answer{MessageID: c.messageID(), ID: mailbox.ReplyID(c.messageID(), seq), Body: body}
	for {
		err := mailbox.Find(x.lanes, c.UpstreamServiceName).Reply(ctx, reply)
		if err == nil || ctx.Err() != nil {
			return err
		}
		x.log.Error("reply neither sent nor kept, trying again", "messageID", c.messageID(), "error", err, "in", replyAgain)
		if err := host.Sleep(ctx, replyAgain); err != nil {
			return err
		}
	}
}

func (x *executor) save(c *command) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := x.journal.Save(c.Job); err != nil {
		x.log.Error("job not saved", "messageID", c.messageID(), "error", err)
	}
}

// done forgets an answered command.
func (x *executor) done(c *command, status string) {
	x.log.Info("command ended", "messageID", c.messageID(), "status", status)
	c.mu.Lock()
	c.over = true
	err := x.journal.Done(c.Job)
	c.mu.Unlock()
	if err != nil {
		x.log.Error("job not removed", "messageID", c.messageID(), "error", err)
	}
	x.finished(status, c.ID())
}

// programFile is the running program, for workers; one whose file was replaced or removed can still be run where the system knows a
// way.
func programFile(path string) string {
	const self = "/proc/self/exe"
	if _, err := os.Stat(path); err != nil {
		if _, err := os.Stat(self); err == nil {
			return self
		}
	}
	return path
}
