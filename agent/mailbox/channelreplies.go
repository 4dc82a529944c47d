package mailbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Limits of replies over a channel (docs/protocol/runcommand.md, "Delivering results"). A reply that is not acknowledged is sent again at
// once, with the same id, and then kept.
const (
	ackLimit    = time.Second
	triesAtOnce = 3
	replyRound  = 50 // kept replies at most in one pass
)

// errUnacknowledged says that the service did not acknowledge a reply in time.
var errUnacknowledged = errors.New("the reply was not acknowledged")

// Reply sends or keeps, after the message's InProgress and after what is kept of earlier replies about it.
func (l *channel) Reply(ctx context.Context, r Answer) error {
	if err := l.opening.wait(ctx, r.MessageID); err != nil {
		return err
	}
	return l.deliver(ctx, r)
}

// deliver sends a reply, or keeps it.
func (l *channel) deliver(ctx context.Context, r Answer) error {
	k := channelReply{ReplyId: r.ID, SsmSetup: &ourReply{Topic: wire.TopicSendCommand, Content: fitting(r.Body)}}
	k.AgentResult.MessageID = r.MessageID
	if l.waits(k) {
		l.resend(ctx)
	}
	err := errBehind
	if !l.waits(k) {
		err = l.send(ctx, r.MessageID, r.ID, k.SsmSetup.Content, k.SsmSetup.Topic)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	l.Log.Info("reply not taken, kept for later", "messageID", r.MessageID, "replyID", r.ID, "error", err)
	return l.keep(k, r.Body)
}

// fitting is a reply as text that the service takes: of longer streams of a step the beginnings stay. (The original keeps such a reply for
// ever and never sends it.)
func fitting(body wire.Reply) string {
	for most := 24_000; ; most /= 2 {
		text, err := json.Marshal(body)
		if err != nil || len(text) <= wire.LongestContent || most < 10 {
			return string(text)
		}
		steps := map[string]wire.StepStatus{}
		for id, s := range body.RuntimeStatus {
			s.StandardOutput, s.StandardError = shortened(s.StandardOutput, most/2), shortened(s.StandardError, most/2)
			steps[id] = s
		}
		body.RuntimeStatus = steps
		body.DocumentTraceOutput = shortened(body.DocumentTraceOutput, most)
	}
}

const cutNote = "--output truncated--"

func shortened(text string, most int) string {
	if len(text) <= most+len(cutNote) {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + cutNote
}

// send sends one reply until it is acknowledged, a few times.
func (l *channel) send(ctx context.Context, messageID, id, content, topic string) error {
	acknowledged := make(chan struct{})
	l.mu.Lock()
	l.awaited[id] = acknowledged
	tries := triesAtOnce
	if l.silent {
		tries = 1
	}
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.awaited, id)
	}()
	for range tries {
		err := l.write(ctx, wire.FrameReply, id, wire.AgentJobReply{SchemaVersion: 1, JobID: messageID, Content: content, Topic: topic})
		if err != nil {
			return err
		}
		limit := time.NewTimer(ackLimit)
		select {
		case <-acknowledged:
			limit.Stop()
			return nil
		case <-ctx.Done():
			limit.Stop()
			return ctx.Err()
		case <-limit.C:
		}
	}
	l.mu.Lock()
	l.silent = true
	l.mu.Unlock()
	l.socket.Check()
	return errUnacknowledged
}

// acknowledged takes the acknowledgement of a reply, which may come late.
func (l *channel) acknowledged(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if waits, ok := l.awaited[id]; ok {
		delete(l.awaited, id)
		close(waits)
	} else if l.tried[id] > 0 {
		l.late[id] = true
	}
	if l.silent {
		l.silent = false
		signal(l.heard)
	}
}

// channelReply is the file of a reply, <directory>/replies_mgs/<time>_<reply id>: what an original reads of it, and what ours was to send.
// The updater's end in _update instead (docs/protocol/update.md, "Command reply").
type channelReply struct {
	AgentResult agentResult
	ReplyId     string
	RetryNumber int
	SsmSetup    *ourReply `json:",omitempty"` // nil: an original's or an updater's file
}

type ourReply struct{ Topic, Content string }

type agentResult struct {
	MessageID           string
	PluginResults       map[string]pluginResult
	Status              string
	LastPlugin          string // "": the document ended
	NPlugins            int
	UpstreamServiceName string
	ResultType          string
	RelatedDocumentType string
}

type pluginResult struct {
	PluginID       string    `json:"pluginID"`
	PluginName     string    `json:"pluginName"`
	Status         string    `json:"status"`
	Code           int       `json:"code"`
	Output         string    `json:"output"`
	StartDateTime  time.Time `json:"startDateTime"`
	EndDateTime    time.Time `json:"endDateTime"`
	Error          string    `json:"error"`
	StandardOutput string    `json:"standardOutput"`
	StandardError  string    `json:"standardError"`
}

// resultOf is a reply in the original's terms.
func resultOf(messageID string, body wire.Reply) agentResult {
	r := agentResult{MessageID: messageID, PluginResults: map[string]pluginResult{}, Status: body.DocumentStatus,
		NPlugins:            len(body.RuntimeStatus),
		UpstreamServiceName: SSMMessages, ResultType: "RunCommandResult", RelatedDocumentType: journal.SendCommand}
	for id, s := range body.RuntimeStatus {
		p := pluginResult{PluginID: id, PluginName: s.Name, Status: s.Status, Code: s.Code, Output: s.Output, StandardOutput: s.StandardOutput,
			StandardError: s.StandardError}
		p.StartDateTime, _ = wire.ParseISOMillis(s.StartDateTime)
		p.EndDateTime, _ = wire.ParseISOMillis(s.EndDateTime)
		if r.PluginResults[id] = p; body.DocumentStatus == wire.InProgress {
			r.LastPlugin = id
		}
	}
	return r
}

// reply is what such a file asks to send.
func (k channelReply) reply(head func() wire.AdditionalInfo) (topic, content string, err error) {
	if k.SsmSetup != nil {
		return k.SsmSetup.Topic, k.SsmSetup.Content, nil
	}
	body := wire.Reply{DocumentStatus: k.AgentResult.Status, RuntimeStatus: map[string]wire.StepStatus{}}
	if head != nil {
		body.AdditionalInfo = head()
	}
	for key, p := range k.AgentResult.PluginResults {
		body.RuntimeStatus[key] = wire.StepStatus{Status: p.Status, Code: p.Code, Name: p.PluginName, Output: p.Output,
			StartDateTime: wire.ISOMillis(p.StartDateTime), EndDateTime: wire.ISOMillis(p.EndDateTime), StandardOutput: p.StandardOutput,
			StandardError: p.StandardError}
	}
	if k.ReplyId == "" || k.AgentResult.MessageID == "" {
		return "", "", errors.New("it names no reply")
	}
	return wire.TopicSendCommand, fitting(body), nil
}

func channelReplies(directory string) string { return filepath.Join(directory, "replies_mgs") }

// keep writes a reply down, unless it lies there already.
func (l *channel) keep(k channelReply, body wire.Reply) error {
	dir := channelReplies(l.Directory)
	for _, name := range l.kept() {
		if strings.HasSuffix(name, "_"+k.ReplyId) {
			return nil
		}
	}
	k.AgentResult = resultOf(k.AgentResult.MessageID, body)
	text, err := indented(k)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, l.Now().UTC().Format(replyStamp)+"_"+k.ReplyId)
	if err := journal.Write(path, text); err != nil {
		return err
	}
	_ = os.Chtimes(path, time.Time{}, time.Now()) // finer than some systems note themselves: it decides who goes first
	return nil
}

func indented(v any) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}

// kept are the names of the kept replies, the oldest first.
func (l *channel) kept() []string { return oldestFirst(channelReplies(l.Directory)) }

// oldestFirst are the names of the files of a folder by the times at which they were written.
func oldestFirst(dir string) []string {
	entries, _ := os.ReadDir(dir)
	at := map[string]time.Time{}
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		names = append(names, e.Name())
		at[e.Name()] = info.ModTime()
	}
	slices.SortStableFunc(names, func(a, b string) int { return at[a].Compare(at[b]) })
	return names
}

// readChannelReply reads one file, at most 1 MiB.
func readChannelReply(path string) (k channelReply, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return k, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxUpdate {
		return k, errors.New("it is no reply")
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	return k, err
}

// waits tells whether a reply has to wait for a kept one about the same message.
func (l *channel) waits(r channelReply) bool {
	for _, name := range l.kept() {
		other, err := readChannelReply(filepath.Join(channelReplies(l.Directory), name))
		if err == nil && other.AgentResult.MessageID == r.AgentResult.MessageID && !strings.HasSuffix(name, updateEnding) {
			return other.ReplyId != r.ReplyId // it is the next itself
		}
	}
	return false
}

// resend is one pass over the kept replies, the oldest first. It ends where one is not taken.
func (l *channel) resend(ctx context.Context) {
	l.passing.Lock()
	defer l.passing.Unlock()
	sent := 0
	for _, name := range l.kept() {
		path := filepath.Join(channelReplies(l.Directory), name)
		k, err := readChannelReply(path)
		topic, content := "", ""
		if err == nil {
			topic, content, err = k.reply(l.Head)
		}
		if err != nil {
			l.setAside(path, err)
			continue
		}
		if l.outlived(path, name, k.ReplyId) {
			l.Log.Warn("reply was never taken, thrown away", "file", name)
			l.remove(path, k.ReplyId)
			continue
		}
		if sent++; sent > replyRound || ctx.Err() != nil {
			signal(l.heard)
			return
		}
		l.mu.Lock()
		late := l.late[k.ReplyId]
		l.tried[k.ReplyId]++
		l.mu.Unlock()
		if !late && l.send(ctx, k.AgentResult.MessageID, k.ReplyId, content, topic) != nil {
			return
		}
		l.remove(path, k.ReplyId)
	}
}

// setAside throws away the file of an updater that cannot be read, and leaves any other alone.
func (l *channel) setAside(path string, why error) {
	if strings.HasSuffix(path, updateEnding) {
		l.Log.Warn("an updater's reply cannot be read, thrown away", "file", filepath.Base(path), "error", why)
		os.Remove(path)
	}
}

func (l *channel) remove(path, id string) {
	os.Remove(path)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.late, id)
	delete(l.tried, id)
}

// outlived: too old, and sent more than once by this agent. An updater's is worth as long as the service waits for its command.
func (l *channel) outlived(path, name, id string) bool {
	if info, err := os.Stat(path); strings.HasSuffix(name, updateEnding) {
		return err == nil && l.Now().Sub(info.ModTime()) > updateLife
	}
	stamp, _, _ := strings.Cut(name, "_")
	at, err := time.Parse(replyStamp, stamp)
	l.mu.Lock()
	defer l.mu.Unlock()
	return (err != nil || l.Now().Sub(at) > replyLife) && l.tried[id] > 1
}

// resendLoop makes a pass when the channel is opened, every five minutes, when the service is heard again, and when an updater may have
// left something.
func (l *channel) resendLoop(ctx context.Context) {
	tick := time.NewTicker(replyPass)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-l.heard:
		case <-l.handover.look:
		}
		if l.handover.isOpen() {
			l.resend(ctx)
		}
	}
}
