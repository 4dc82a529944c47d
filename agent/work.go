package agent

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/agent/runner"
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

// tellAgain is the pause after a reply that could neither be sent nor kept.
const tellAgain = 15 * time.Second

// bench does the work on one command after another.
type bench struct {
	journal  *journal.Journal
	desk     *desk
	job      func(*journal.Job) runner.Job
	spec     runner.Spec // Executable, Argv0, Log
	agent    func() wire.AgentInfo
	reboot   *rebooter
	finished func(status, id string) // after every answered command
	now      func() time.Time
	log      *slog.Logger
}

// work runs a command, or takes up one that an earlier agent ran, and reports what happens. It ends when the command is
// answered, or with the context: then the journal and the worker's folder hold everything the next agent needs.
func (b *bench) work(ctx context.Context, c *command) {
	if c.SsmSetup.Verdict != nil {
		b.pronounce(ctx, c)
		return
	}
	if c.isCancelled() && !c.resumed {
		c.ahead.abandon()
		b.cancelled(ctx, c)
		return
	}
	if c.SsmSetup.RebootFrom != "" {
		if again := b.reboot.wait(ctx, c); !again {
			if ctx.Err() == nil {
				b.failed(ctx, c, seqNoReboot, "the machine did not restart within ten minutes")
			}
			return
		}
		c.mu.Lock()
		c.SsmSetup.RebootFrom, c.SsmSetup.RebootAsked = "", time.Time{}
		c.mu.Unlock()
	}
	w, err := b.start(ctx, c)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		b.log.Error("worker cannot be started", "messageID", c.id(), "error", err)
		b.failed(ctx, c, seqNoWorker, "the agent cannot start a worker for this document: "+err.Error())
		return
	}
	b.follow(ctx, c, w)
}

func (c *command) isCancelled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.SsmSetup.Cancelled
}

// start begins a new command, or finds the worker of an older one.
func (b *bench) start(ctx context.Context, c *command) (*runner.Worker, error) {
	spec := b.workerSpec(c.ID())
	spec.After = c.SsmSetup.Told
	w, err := (*runner.Worker)(nil), b.journal.Begin(c.Job)
	if err == nil && c.resumed {
		if w, err = runner.Attach(ctx, spec); err == nil {
			return b.hold(c, w)
		}
	}
	if err == nil || errors.Is(err, runner.ErrNotStarted) {
		err = runner.Prepare(spec.Dir, b.job(c.Job))
	}
	if err != nil {
		c.ahead.abandon()
		return nil, err
	}
	if w = c.ahead.start(ctx); w == nil {
		if w, err = runner.Start(ctx, spec); err != nil {
			return nil, err
		}
	}
	return b.hold(c, w)
}

func (b *bench) workerSpec(id string) runner.Spec {
	spec := b.spec
	spec.Executable, spec.Dir = program(spec.Executable), b.journal.Channel(id)
	return spec
}

// hold ties a worker to its command; a cancel that came before is handed on.
func (b *bench) hold(c *command, w *runner.Worker) (*runner.Worker, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.worker = w
	if c.SsmSetup.Cancelled {
		return w, w.Cancel()
	}
	return w, nil
}

// follow reports events until the document ends.
func (b *bench) follow(ctx context.Context, c *command, w *runner.Worker) {
	var save <-chan time.Time
	for {
		select {
		case <-save:
			save = nil
			b.save(c)
		case e, ok := <-w.Events():
			switch {
			case !ok:
				if save != nil {
					b.save(c)
				}
				return
			case e.Kind == runner.Step:
				if b.tell(ctx, c, e.Seq, runner.EventReply(b.head(), e)) != nil {
					return
				}
				c.note(e)
				save = time.After(settle)
			case e.Forced:
				b.log.Error("document worker died", "messageID", c.id(), "said", b.lastWords(c.ID()))
				b.conclude(ctx, c, e.Seq, e, "")
				return
			case e.Kind == runner.Done && e.Status != wire.SuccessAndReboot:
				if b.tell(ctx, c, e.Seq, runner.EventReply(b.head(), e)) == nil {
					b.done(c, e.Status)
				}
				return
			case e.Kind == runner.Done:
				b.rebooting(ctx, c, e)
				return
			}
		}
	}
}

// lastWords is the end of what a worker said, for the log.
func (b *bench) lastWords(id string) string {
	const most = 2000
	text, _ := os.ReadFile(filepath.Join(b.journal.Channel(id), "log"))
	return string(text[max(0, len(text)-most):])
}

// note remembers that an event was reported.
func (c *command) note(e runner.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.SsmSetup.Told = e.Seq
	if e.Kind == runner.Step && e.Step < len(c.InstancePluginsInformation) {
		c.InstancePluginsInformation[e.Step].Result, _ = json.Marshal(e.Result)
	}
}

func (b *bench) head() wire.AdditionalInfo { return runner.Head(b.agent(), b.now(), nil) }

// tell hands a reply to the command's lane, again and again while it can neither be sent nor kept (no network and a full
// disk). The error is the context's: then the next agent tells it.
func (b *bench) tell(ctx context.Context, c *command, seq int, body wire.Reply) error {
	reply := mailbox.Reply{MessageID: c.id(), ID: mailbox.ReplyID(c.id(), seq), Body: body}
	for {
		err := b.desk.lane(c.UpstreamServiceName).Reply(ctx, reply)
		if err == nil || ctx.Err() != nil {
			return err
		}
		b.log.Error("reply neither sent nor kept, trying again", "messageID", c.id(), "error", err, "in", tellAgain)
		if err := cloud.Pause(ctx, tellAgain); err != nil {
			return err
		}
	}
}

func (b *bench) save(c *command) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := b.journal.Save(c.Job); err != nil {
		b.log.Error("job not saved", "messageID", c.id(), "error", err)
	}
}

// done forgets an answered command.
func (b *bench) done(c *command, status string) {
	b.log.Info("command ended", "messageID", c.id(), "status", status)
	c.mu.Lock()
	c.over = true
	err := b.journal.Done(c.Job)
	c.mu.Unlock()
	if err != nil {
		b.log.Error("job not removed", "messageID", c.id(), "error", err)
	}
	b.finished(status, c.ID())
}

// giveUp reports a job that the journal cannot resume, and moves it away. The original only moves it.
func (b *bench) giveUp(ctx context.Context, instanceID string, broken journal.Broken) {
	job := broken.Job
	if job == nil {
		job = &journal.Job{}
		job.DocumentInformation.MessageID = wire.MessageID(broken.ID, instanceID)
		job.DocumentInformation.DocumentID = broken.ID
	}
	c := &command{Job: job}
	b.log.Error("command given up", "messageID", c.id(), "reason", broken.Reason)
	b.stopWorker(ctx, c)
	why := "the agent gave this command up: " + broken.Reason
	if b.tell(ctx, c, seqGivenUp, b.reply(b.unrun(c, wire.Failed, why), why)) != nil {
		return
	}
	if err := b.journal.GiveUp(broken); err != nil {
		b.log.Error("job not moved to corrupt", "messageID", c.id(), "error", err)
	}
}

// stopWorker ends the worker of a job that is given up, should one live.
func (b *bench) stopWorker(ctx context.Context, c *command) {
	spec := b.workerSpec(c.ID())
	if _, err := os.Stat(spec.Dir); err != nil {
		return
	}
	ctx, end := context.WithTimeout(ctx, 5*time.Second)
	defer end()
	w, err := runner.Attach(ctx, spec)
	if err != nil {
		return
	}
	if w.Cancel() == nil {
		for range w.Events() {
		}
	}
}
