package dispatch

import (
	"context"
	"encoding/json"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// cancelled answers for a command that was cancelled before it ran. The cancel is on disk, so an agent that comes after a crash answers
// the same.
func (x *executor) cancelled(ctx context.Context, c *command) {
	if x.reply(ctx, c, seqCancelled, x.finalReply(x.unrun(c, wire.Cancelled, ""), "")) == nil {
		x.done(c, wire.Cancelled)
	}
}

// failed answers for a command that cannot be brought to an end.
func (x *executor) failed(ctx context.Context, c *command, seq int, why string) {
	x.conclude(ctx, c, seq, x.unrun(c, wire.Failed, why), why)
}

// conclude answers with an end that the agent found. It is on disk before it is told: else an agent that comes after a crash would
// find a command that was not begun, or whose machine has restarted, and run what was reported as failed.
func (x *executor) conclude(ctx context.Context, c *command, seq int, e runner.Event, trace string) {
	end, err := json.Marshal(e)
	if err != nil {
		x.log.Error("the end of a command cannot be recorded", "messageID", c.messageID(), "error", err)
	}
	c.mu.Lock()
	c.SsmSetup.FinalReply = &journal.FinalReply{Seq: seq, Event: end, Trace: trace}
	c.mu.Unlock()
	x.save(c)
	x.sendFinal(ctx, c)
}

// sendFinal sends the recorded final reply, and forgets the command then.
func (x *executor) sendFinal(ctx context.Context, c *command) {
	f, e := c.SsmSetup.FinalReply, runner.Event{Kind: runner.Done, Status: wire.Failed}
	if err := json.Unmarshal(f.Event, &e); err != nil {
		x.log.Error("how a command ended cannot be read", "messageID", c.messageID(), "error", err)
	}
	if x.reply(ctx, c, f.Seq, x.finalReply(e, f.Trace)) == nil {
		x.done(c, e.Status)
	}
}

// finalReply is the body of a document's last reply.
func (x *executor) finalReply(e runner.Event, trace string) wire.Reply {
	reply := runner.EventReply(x.head(), e)
	reply.DocumentTraceOutput = trace
	return reply
}

// unrun is the end of a document whose steps did not run: all of them with that status, code 1.
func (x *executor) unrun(c *command, status, why string) runner.Event {
	steps := c.InstancePluginsInformation
	e := runner.Event{Kind: runner.Done, Status: status, Counts: map[string]int{status: len(steps)}}
	if len(steps) == 1 {
		now := x.now()
		e.Result = &runner.Result{PluginID: steps[0].Id, PluginName: steps[0].Name, Status: status, Code: 1, Output: why, Start: now, End: now}
	}
	return e
}

// giveUp reports a job that the journal cannot resume, and moves it away. The original only moves it.
func (x *executor) giveUp(ctx context.Context, instanceID string, broken journal.Broken) {
	job := broken.Job
	if job == nil {
		job = &journal.Job{}
		job.DocumentInformation.MessageID = wire.MessageID(broken.ID, instanceID)
		job.DocumentInformation.DocumentID = broken.ID
	}
	c := &command{Job: job}
	x.log.Error("command given up", "messageID", c.messageID(), "reason", broken.Reason)
	x.stopWorker(ctx, c)
	why := "the agent gave this command up: " + broken.Reason
	if x.reply(ctx, c, seqGivenUp, x.finalReply(x.unrun(c, wire.Failed, why), why)) != nil {
		return
	}
	if err := x.journal.GiveUp(broken); err != nil {
		x.log.Error("job not moved to corrupt", "messageID", c.messageID(), "error", err)
	}
}

// stopWorker ends the worker of a job that is given up, should one live.
func (x *executor) stopWorker(ctx context.Context, c *command) {
	spec := x.workerSpec(c.Job)
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
