package updater

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// owedFor is how long an answer is worth sending: the service gives up on a command after two days.
const owedFor = 48 * time.Hour

// Bounds of a reply's output, in bytes (docs/protocol/update.md, "Command reply").
const (
	longestOutput = 2500
	cutMark       = "\n---Output truncated---"
)

// progressReply says that the step is under way.
func (w *work) progressReply() (string, error) {
	return w.reply(wire.InProgress, 0, "")
}

// answer is what is owed for an outcome; nil where no sender waits for one.
func (w *work) answer(o ledger.Outcome) (*ledger.Owed, error) {
	to := w.u.Request.ReplyTo
	if to == nil || to.MessageID == "" {
		return nil, nil
	}
	status, code := wire.Success, 0
	if !o.Success {
		status, code = wire.Failed, 1
	}
	payload, err := w.reply(status, code, o.Text())
	if err != nil {
		return nil, err
	}
	return &ledger.Owed{
		MessageID: to.MessageID,
		Upstream:  to.Upstream,
		ReplyID:   host.NewUUID(),
		Payload:   payload,
		Status:    statusOf(o),
		Version:   o.RunningVersion.String(),
		Since:     w.Now(),
	}, nil
}

// reply is the payload of SendReply for the one step that the updater answers for.
func (w *work) reply(status string, code int, output string) (string, error) {
	to, now := w.u.Request.ReplyTo, w.Now()
	started := to.Started
	if started.IsZero() {
		started = w.u.Started
	}
	if room := longestOutput - len(to.Note); len(output) > room {
		output = output[:room-len(cutMark)] + cutMark
	}
	bucket, prefix, step := "", "", ""
	if w.uploaded { // else nothing is there
		bucket, prefix, step = to.Bucket, strings.TrimSuffix(to.Prefix, "/"+to.StepName), to.StepName
	}
	payload, err := json.Marshal(wire.Reply{
		AdditionalInfo: wire.AdditionalInfo{Agent: w.Settings.Agent, DateTime: wire.ISOMillis(now)},
		DocumentStatus: status,
		RuntimeStatus: map[string]wire.StepStatus{to.PluginKey: {
			Status: status, Code: code, Name: to.PluginName, Output: output + to.Note, StepName: step,
			StartDateTime: wire.ISOMillis(started), EndDateTime: wire.ISOMillis(now),
			OutputS3BucketName: bucket, OutputS3KeyPrefix: prefix,
		}},
	})
	return string(payload), err
}

// sendOwedUnlessEnding pays at the end of a run; one that was asked to end leaves it to the next.
func (e *Engine) sendOwedUnlessEnding(ctx context.Context, b *ledger.File) {
	if ctx.Err() == nil && !e.displaced() {
		e.sendOwed(ctx, b)
	}
}

// sendOwed sends what is owed: reply, removal of the message, health status, in this order. What cannot be sent stays.
func (e *Engine) sendOwed(ctx context.Context, b *ledger.File) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var left []ledger.Owed
	changed := false
	for _, o := range b.Owed {
		switch paid := e.sendAnswer(ctx, &o); {
		case paid || e.Now().Sub(o.Since) > owedFor:
			changed = true
		default:
			left = append(left, o)
		}
	}
	b.Owed = left
	if changed {
		if err := b.Save(true); err != nil {
			e.Log.Error("cannot write the update record", "error", err)
		}
	}
}

// sendAnswer tries one answer; true when nothing more is to be done about it.
func (e *Engine) sendAnswer(ctx context.Context, o *ledger.Owed) bool {
	lane := e.Reporter.lane(o.Upstream)
	if lane.Reply == nil || lane.Delete == nil {
		return false
	}
	if o.Payload != "" {
		err := lane.Reply(ctx, o.MessageID, o.ReplyID, o.Payload)
		if err != nil && !errors.Is(err, ErrNoMessage) {
			e.Log.Warn("cannot send the answer yet", "message", o.MessageID, "error", err)
			return false
		}
		o.Payload = ""
	}
	if err := lane.Delete(ctx, o.MessageID); err != nil && !errors.Is(err, ErrNoMessage) {
		e.Log.Warn("cannot delete the message yet", "message", o.MessageID, "error", err)
		return false
	}
	if e.Reporter.Health != nil && o.Status != "" {
		if err := e.Reporter.Health(ctx, o.Status, o.Version); err != nil {
			e.Log.Warn("cannot send the health status", "error", err)
		}
	}
	return true
}
