package mailbox

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// The updater of an original answers a command that came over ssmmessages with a file, which the next agent sends
// (docs/protocol/update.md, "Command reply"). This version has no ssmmessages lane: such a reply goes by this one.
const (
	updatePass   = 5 * time.Second
	updateLife   = 48 * time.Hour // the service gives up on a command then
	updateEnding = "_update"
	updateRound  = 50      // files at most in one pass
	maxUpdate    = 1 << 20 // bytes of one
)

// updateReply is that file.
type updateReply struct {
	AgentResult struct {
		MessageID     string
		Status        string
		PluginResults map[string]struct {
			PluginName     string    `json:"pluginName"`
			Status         string    `json:"status"`
			Code           int       `json:"code"`
			Output         string    `json:"output"`
			StartDateTime  time.Time `json:"startDateTime"`
			EndDateTime    time.Time `json:"endDateTime"`
			StandardOutput string    `json:"standardOutput"`
			StandardError  string    `json:"standardError"`
		}
	}
	ReplyId string
}

// updateLoop looks for such files.
func (l *polled) updateLoop(ctx context.Context) {
	tick := time.NewTicker(updatePass)
	defer tick.Stop()
	for {
		l.sendUpdates(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sendUpdates is one pass, the oldest first: their names begin with the time.
func (l *polled) sendUpdates(ctx context.Context) {
	dir := filepath.Join(l.Directory, "replies_mgs")
	entries, _ := os.ReadDir(dir)
	found := 0
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !strings.HasSuffix(e.Name(), updateEnding) || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxUpdate {
			continue
		}
		if found++; found > updateRound {
			return
		}
		in, err := l.readUpdate(path)
		if err == nil {
			if err = l.sendReply(ctx, in); err != nil && !declines(err) && l.Now().Sub(info.ModTime()) < updateLife {
				return
			}
		} else {
			l.Log.Warn("an updater's reply cannot be read, thrown away", "file", e.Name(), "error", err)
		}
		os.Remove(path)
	}
}

func (l *polled) readUpdate(path string) (in wire.SendReplyInput, err error) {
	var r updateReply
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return in, err
	}
	body := wire.Reply{DocumentStatus: r.AgentResult.Status, RuntimeStatus: map[string]wire.StepStatus{}}
	if l.Head != nil {
		body.AdditionalInfo = l.Head()
	}
	for key, p := range r.AgentResult.PluginResults {
		body.RuntimeStatus[key] = wire.StepStatus{Status: p.Status, Code: p.Code, Name: p.PluginName, Output: p.Output,
			StartDateTime: wire.ISOMillis(p.StartDateTime), EndDateTime: wire.ISOMillis(p.EndDateTime), StandardOutput: p.StandardOutput,
			StandardError: p.StandardError}
	}
	payload, err := json.Marshal(body)
	return wire.SendReplyInput{MessageId: r.AgentResult.MessageID, ReplyId: r.ReplyId, Payload: string(payload)}, err
}
