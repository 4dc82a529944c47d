package mailbox

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// An updater, ours or an original's, answers a command that came over ssmmessages with a file, which the next agent sends
// (docs/protocol/update.md, "Command reply"): over the channel once it is open, over ec2messages where the service denies this node a
// channel by now.
const (
	updatePass   = 5 * time.Second
	updateLife   = 48 * time.Hour // the service gives up on a command then
	updateEnding = "_update"
	updateRound  = 50      // files at most in one pass
	maxUpdate    = 1 << 20 // bytes of one
	updateStamp  = "2006-01-02T15-04-05.000000"
)

// leaveUpdate leaves a reply of the updater for the agent. payload is a [wire.Reply].
func leaveUpdate(m Machine, messageID, replyID, payload string) error {
	name, err := host.CheckName(messageID)
	if err != nil {
		return errors.Join(ErrGone, err) // no try gives it a place
	}
	var body wire.Reply
	if err := json.Unmarshal([]byte(payload), &body); err != nil {
		return errors.Join(ErrGone, err)
	}
	k := channelReply{AgentResult: resultOf(messageID, body), ReplyId: replyID,
		SsmSetup: &ourReply{Topic: wire.TopicSendCommand, Content: fitting(body)}}
	text, err := indented(k)
	if err != nil {
		return err
	}
	for _, other := range oldestFirst(channelReplies(m.Directory)) {
		if k, err := readChannelReply(filepath.Join(channelReplies(m.Directory), other)); err == nil && k.ReplyId == replyID {
			return nil
		}
	}
	file := time.Now().UTC().Format(updateStamp) + "_" + name.String() + updateEnding
	return journal.Write(filepath.Join(channelReplies(m.Directory), file), text)
}

// updateLoop looks for such files.
func (l *polled) updateLoop(ctx context.Context) {
	tick := time.NewTicker(updatePass)
	defer tick.Stop()
	for {
		switch {
		case l.handover.isOpen():
			l.handOver()
		case l.handover.isDenied() || l.NoChannel || !l.Channel:
			l.sendUpdates(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// handOver wakes the channel's lane where an updater left something.
func (l *polled) handOver() {
	entries, _ := os.ReadDir(channelReplies(l.Directory))
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), updateEnding) {
			signal(l.handover.look)
			return
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
	k, err := readChannelReply(path)
	if err != nil {
		return in, err
	}
	_, content, err := k.reply(l.Head)
	return wire.SendReplyInput{MessageId: k.AgentResult.MessageID, ReplyId: k.ReplyId, Payload: content}, err
}
