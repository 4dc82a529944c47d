package agent

import (
	"context"
	"encoding/json"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// cancelled answers for a command that was cancelled before it ran; whoever comes after a crash knows that it was.
func (b *bench) cancelled(ctx context.Context, c *command) {
	if b.tell(ctx, c, seqCancelled, b.reply(b.unrun(c, wire.Cancelled, ""), "")) == nil {
		b.done(c, wire.Cancelled)
	}
}

// failed answers for a command that cannot be brought to an end.
func (b *bench) failed(ctx context.Context, c *command, seq int, why string) {
	b.conclude(ctx, c, seq, b.unrun(c, wire.Failed, why), why)
}

// conclude answers with an end that the agent found. It is on disk before anybody hears of it: else an agent that comes after
// a crash would find a command that was not begun, or whose machine has restarted, and run what was reported as failed.
func (b *bench) conclude(ctx context.Context, c *command, seq int, e runner.Event, trace string) {
	end, err := json.Marshal(e)
	if err != nil {
		b.log.Error("an end cannot be noted", "messageID", c.id(), "error", err)
	}
	c.mu.Lock()
	c.SsmSetup.Verdict = &journal.Verdict{Seq: seq, Event: end, Trace: trace}
	c.mu.Unlock()
	b.save(c)
	b.pronounce(ctx, c)
}

// pronounce tells the verdict, and forgets the command then.
func (b *bench) pronounce(ctx context.Context, c *command) {
	v, e := c.SsmSetup.Verdict, runner.Event{Kind: runner.Done, Status: wire.Failed}
	if err := json.Unmarshal(v.Event, &e); err != nil {
		b.log.Error("how a command ended cannot be read", "messageID", c.id(), "error", err)
	}
	if b.tell(ctx, c, v.Seq, b.reply(e, v.Trace)) == nil {
		b.done(c, e.Status)
	}
}

// reply is a document's last one.
func (b *bench) reply(e runner.Event, trace string) wire.Reply {
	reply := runner.EventReply(b.head(), e)
	reply.DocumentTraceOutput = trace
	return reply
}

// unrun is the end of a document whose steps did not run: all of them with that status, code 1.
func (b *bench) unrun(c *command, status, why string) runner.Event {
	steps := c.InstancePluginsInformation
	e := runner.Event{Kind: runner.Done, Status: status, Counts: map[string]int{status: len(steps)}}
	if len(steps) == 1 {
		now := b.now()
		e.Result = &runner.Result{PluginID: steps[0].Id, PluginName: steps[0].Name, Status: status, Code: 1, Output: why, Start: now, End: now}
	}
	return e
}
