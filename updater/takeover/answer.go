package takeover

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/wire"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

const (
	pluginName = "aws:updateSsmAgent"
	pluginDir  = "awsupdateSsmAgent" // its name without the colon
)

// Bounds of a reply's output, in bytes (docs/protocol/update.md, "Command reply").
const (
	longestOutput = 2500
	outputMark    = "\n---Output truncated---"
	errorMark     = "\n---Error truncated----"
	errorBanner   = "\n----------ERROR-------\n"
)

// tell sends a reply and a health status on the way; what cannot be sent is not tried again.
func (w *work) tell(ctx context.Context, status string) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if to := w.replyTo(); to != nil {
		if err := w.send(ctx, to, host.NewUUID(), w.payload(to, status)); err != nil {
			w.Log.Info("cannot send a reply on the way", "error", err)
		}
	}
	w.health(ctx, w.r.Order.Source)
}

// health sends the status of the state; version is the one it names.
func (w *work) health(ctx context.Context, version string) {
	if w.Reporter.Health == nil {
		return
	}
	if err := w.Reporter.Health(ctx, w.status(), version); err != nil {
		w.Log.Info("cannot send the health status", "status", w.status(), "error", err)
	}
}

// status is <base>[_SelfUpdate][_<sub-status><code>][-<target>][-NoAlarm] (docs/protocol/update.md, "Health status").
func (w *work) status() string {
	base := map[string]string{notStarted: "Active", initialized: "UpdateInitialized", staged: "UpdateStaged", installed: "UpdateInprogress",
		rollback: "RollingBack", rolledBack: "RollBackCompleted", completed: "UpdateFailed"}[w.r.State]
	if w.r.State == completed && w.r.Result == success {
		base = "UpdateSucceeded"
	}
	if w.r.Order.SelfUpdate {
		base += "_SelfUpdate"
	}
	if w.r.Code != "" {
		base += "_" + w.r.Sub + w.r.Code
	}
	if t := w.target(); t != "" {
		base += "-" + t
	}
	if w.r.Sub == "" && slices.Contains([]string{"ErrorUnsupportedServiceManager", manifests.CodeDowngrade, manifests.CodePrecondition,
		"ErrorFailedLinksCheck", "ErrorInstallFailedDueToSnapd"}, w.r.Code) {
		base += "-NoAlarm"
	}
	return base
}

// replyTo says whom to answer, and as what; nil: no command asked. A run of schema 2.x is told from one of 1.x by the folder of its step.
func (w *work) replyTo() *ledger.ReplyTo {
	o := w.r.Order
	if w.r.ReplyTo != nil || o.MessageID == "" || o.SelfUpdate {
		return w.r.ReplyTo
	}
	id, err := w.Identity()
	if err != nil || id == "" {
		return nil
	}
	to := &ledger.ReplyTo{MessageID: o.MessageID, CommandID: wire.CommandID(o.MessageID), Upstream: o.Upstream, Started: w.started(),
		PluginKey: pluginName, Bucket: o.OutputBucket, Prefix: o.OutputKey}
	command, err := host.CheckName(to.CommandID)
	if err != nil {
		return to
	}
	dir := filepath.Join(w.Layout.Data(), id, "document", "orchestration", command.String(), pluginDir)
	for _, step := range []string{filepath.Base(filepath.FromSlash(o.OutputKey)), pluginDir, onlyFolder(dir)} {
		if _, bad := host.CheckName(step); bad != nil { // ".." is no step
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, step)); err == nil && info.IsDir() {
			to.PluginKey, to.PluginName = step, pluginName
			dir = filepath.Join(dir, step)
			break
		}
	}
	to.Stdout, to.Stderr = filepath.Join(dir, filepath.Base(o.Stdout)), filepath.Join(dir, filepath.Base(o.Stderr))
	w.r.ReplyTo = to
	return to
}

// onlyFolder is the one folder in another; empty: there are none or several.
func onlyFolder(dir string) (name string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			if name != "" {
				return ""
			}
			name = e.Name()
		}
	}
	return name
}

// started is when the step began, as its plugin noted it (docs/protocol/update.md, "Files of an update").
func (w *work) started() time.Time {
	var result struct{ StartDateTime time.Time }
	text, err := os.ReadFile(filepath.Join(w.Layout.UpdateRoot(), "updatepluginresult.json"))
	if err != nil || json.Unmarshal(text, &result) != nil || result.StartDateTime.IsZero() {
		return w.r.Began
	}
	return result.StartDateTime
}

// output is the text of the reply: what the step has printed so far, and what went wrong.
func (w *work) output(to *ledger.ReplyTo) (out, bad string) {
	own := func(lines []string) (text string) {
		for _, l := range lines {
			text += l + "\n"
		}
		return text
	}
	read := func(file string, lines []string) string {
		text, err := os.ReadFile(file)
		switch {
		case err != nil || len(text) > 1<<20:
			return own(lines)
		case w.r.Told:
			return string(text)
		}
		return string(text) + own(lines)
	}
	return read(to.Stdout, w.r.Lines), read(to.Stderr, w.r.Errors)
}

// joined is stdout and stderr in one text, cut to what a reply takes.
func joined(out, bad string) string {
	text := out
	if bad != "" {
		text += errorBanner + bad
	}
	switch {
	case len(text) <= longestOutput:
		return text
	case bad == "":
		return out[:longestOutput-len(outputMark)] + outputMark
	}
	half := (longestOutput - len(errorBanner)) / 2
	if len(bad) > half {
		bad = bad[:half-len(errorMark)] + errorMark
	}
	if room := longestOutput - len(errorBanner) - len(bad); len(out) > room {
		out = out[:room-len(outputMark)] + outputMark
	}
	return out + errorBanner + bad
}

// stream is one of the two streams, cut to what a reply takes (docs/protocol/update.md, "Command reply").
func stream(text string) string {
	const longest, mark = 24000, "--output truncated--"
	if len(text) < longest {
		return text
	}
	return text[:longest-len(mark)] + mark
}

// payload is a reply in the shape of its lane.
func (w *work) payload(to *ledger.ReplyTo, status string) string {
	code, now := 0, w.Now()
	if status == failedWord {
		code = 1
	}
	out, bad := w.output(to)
	started := to.Started
	if started.IsZero() {
		started = w.r.Began
	}
	var body any = wire.Reply{
		AdditionalInfo: wire.AdditionalInfo{Agent: w.Agent, DateTime: wire.ISOMillis(now)}, DocumentStatus: status,
		RuntimeStatus: map[string]wire.StepStatus{to.PluginKey: {Status: status, Code: code, Name: to.PluginName,
			Output: joined(out, bad) + to.Note, StepName: to.StepName, StartDateTime: wire.ISOMillis(started), EndDateTime: wire.ISOMillis(now),
			OutputS3BucketName: to.Bucket, OutputS3KeyPrefix: to.Prefix}}}
	if to.Upstream == laneSSM {
		body = replyFile{ReplyId: host.NewUUID(), AgentResult: agentResult{MessageID: to.MessageID, Status: status, NPlugins: 1,
			ResultType: "RunCommandResult", RelatedDocumentType: "SendCommand",
			PluginResults: map[string]pluginResult{to.PluginKey: {PluginName: pluginName, Status: status, Code: code, Output: joined(out, bad),
				StartDateTime: started, EndDateTime: now, StandardOutput: stream(out), StandardError: stream(bad)}}}}
	}
	text, _ := json.MarshalIndent(body, "", "  ")
	return string(text)
}

// send sends a reply over ec2messages, or leaves it where the agent picks it up for ssmmessages.
func (w *work) send(ctx context.Context, to *ledger.ReplyTo, id, payload string) error {
	if to.Upstream == laneSSM {
		return w.leaveReply(to, payload)
	}
	if w.Reporter.Reply == nil {
		return nil
	}
	if err := w.Reporter.Reply(ctx, to.MessageID, id, payload); err != nil && !w.gone(err) {
		return err
	}
	return nil
}

func (w *work) gone(err error) bool { return w.Gone != nil && w.Gone(err) }

// owedFor is how long an answer is worth sending: the service gives up on a command after two days.
const (
	owedFor   = 48 * time.Hour
	owedPause = 30 * time.Second
)

// answer writes the text into the step's files, and sends the last reply until the service has taken it.
func (w *work) answer(ctx context.Context) error {
	to := w.replyTo()
	if w.r.Payload == "" {
		w.r.Ended, w.r.ReplyID = w.Now(), host.NewUUID()
		if to != nil && !w.r.Told {
			w.appendText(to)
			w.r.Told = true
		}
		if to != nil {
			w.r.Payload = w.payload(to, w.r.Result)
		}
		if err := w.save(); err != nil {
			return err
		}
		w.audit()
		w.health(ctx, cmp.Or(w.r.Running, w.r.Order.Source))
	}
	w.unlock() // other updates need not wait for the service
	for to != nil && !w.r.Sent {
		err := w.pay(ctx, to)
		if err == nil || w.Now().Sub(w.r.Ended) > owedFor {
			w.r.Sent = true
			if err := w.save(); err != nil {
				return err
			}
			break
		}
		w.Log.Warn("cannot send the answer yet", "message", to.MessageID, "error", err)
		if err := w.System.Pause(ctx, owedPause); err != nil {
			return fmt.Errorf("%w: %w", ErrOwed, err)
		}
	}
	w.upload(ctx, to)
	return nil
}

// upload brings what the step printed into the command's bucket (docs/protocol/update.md, "Finalising").
func (w *work) upload(ctx context.Context, to *ledger.ReplyTo) {
	if to == nil || to.Bucket == "" || w.Reporter.Upload == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for name, file := range map[string]string{"stdout": to.Stdout, "stderr": to.Stderr} {
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
			continue
		}
		if err := w.Reporter.Upload(ctx, to.Bucket, to.Prefix+"/"+name, file); err != nil {
			w.Log.Warn("cannot upload the step's output", "file", name, "error", err)
		}
	}
}

// pay sends the last reply and then has the message deleted.
func (w *work) pay(ctx context.Context, to *ledger.ReplyTo) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := w.send(ctx, to, w.r.ReplyID, w.r.Payload); err != nil {
		return err
	}
	if to.Upstream == laneSSM || w.Reporter.Delete == nil {
		return nil
	}
	if err := w.Reporter.Delete(ctx, to.MessageID); err != nil && !w.gone(err) {
		return err
	}
	return nil
}

// appendText adds the lines to the step's files, where they exist.
func (w *work) appendText(to *ledger.ReplyTo) {
	for file, lines := range map[string][]string{to.Stdout: w.r.Lines, to.Stderr: w.r.Errors} {
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			continue
		}
		for _, l := range lines {
			_, err = f.WriteString(l + "\n")
		}
		if err = errors.Join(err, f.Close()); err != nil {
			w.Log.Warn("cannot append to the step's output", "error", err)
		}
	}
}

// audit notes the outcome where the agent collects it (docs/protocol/update.md, "Audit events").
func (w *work) audit() {
	if w.r.Result == success && w.r.Code == "" && w.r.To == nil {
		return // skipped
	}
	now := w.Now()
	dir := filepath.Join(w.Layout.Logs(), "audits")
	if os.MkdirAll(dir, 0o700) != nil {
		return
	}
	f, err := os.OpenFile(filepath.Join(dir, agentPackage+"-audit-"+now.Format("2006-01-02")), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() == 0 {
		_, _ = f.WriteString("SchemaVersion=1\n")
	}
	_, _ = fmt.Fprintf(f, "agent_update_result %s %s %s\n", oneWord(w.status()), oneWord(w.r.Order.Source), now.Format("15:04:05"))
}

// oneWord is a text from outside as one word of a line: versions come from the command line, and are written down also where they are
// refused.
func oneWord(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, text)
}
