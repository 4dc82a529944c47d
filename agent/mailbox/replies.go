package mailbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// ReplyID is the id of the answer number seq about a message: the same whoever computes it and when, so that an answer
// sent again after a crash can be told from a new one. It has the shape of a UUID v4.
func ReplyID(messageID string, seq int) string {
	var b [16]byte
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", messageID, seq))
	copy(b[:], sum[:])
	return uuid(b)
}

// replyLife is how long a kept reply is worth sending, replyPass the time between two tries (spec runcommand 2.9).
const (
	replyLife  = 2 * time.Hour
	replyPass  = 5 * time.Minute
	replyStamp = "2006-01-02T15-04-05"
)

// keptReply is the file of a reply: the request as it was, its four keys in this order.
type keptReply struct {
	DeliveryOptions any
	MessageId       string
	Payload         string
	ReplyId         string
}

// keep writes a reply to <directory>/replies/<reply id>_<time>, unless it lies there already.
func (l *polled) keep(in wire.SendReplyInput) error {
	dir := filepath.Join(l.Directory, "replies")
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), in.ReplyId) {
			return nil
		}
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("", "  ")
	if err := enc.Encode(keptReply{nil, in.MessageId, in.Payload, in.ReplyId}); err != nil {
		return err
	}
	name := in.ReplyId + "_" + l.Now().UTC().Format(replyStamp)
	return journal.Write(filepath.Join(dir, name), bytes.TrimSuffix(text.Bytes(), []byte("\n")))
}

// resend is one pass over the kept replies, in the order of their names. It ends early when one cannot be sent.
func (l *polled) resend(ctx context.Context) {
	dir := filepath.Join(l.Directory, "replies")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if l.outlived(e.Name()) {
			l.Log.Warn("reply was never taken, thrown away", "file", e.Name())
			os.Remove(path)
			continue
		}
		var kept keptReply
		data, err := os.ReadFile(path)
		if err != nil || json.Unmarshal(data, &kept) != nil || kept.ReplyId == "" {
			l.Log.Warn("kept reply cannot be read, left alone", "file", e.Name(), "error", err)
			continue
		}
		in := wire.SendReplyInput{MessageId: kept.MessageId, Payload: kept.Payload, ReplyId: kept.ReplyId}
		if l.call(ctx, "SendReply", in, nil) != nil {
			return
		}
		os.Remove(path)
	}
}

// outlived: too old, or a name that tells no age. A file that is just being written (".…") is let alone.
func (l *polled) outlived(name string) bool {
	if strings.HasPrefix(name, ".") {
		return false
	}
	_, stamp, ok := strings.Cut(name, "_")
	if !ok {
		return true
	}
	at, err := time.Parse(replyStamp, stamp)
	return err != nil || l.Now().Sub(at) > replyLife
}

// resendLoop makes a pass at once, every five minutes, and when the service is heard again after a failure.
func (l *polled) resendLoop(ctx context.Context) {
	tick := time.NewTicker(replyPass)
	defer tick.Stop()
	for {
		l.resend(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-l.heard:
		}
	}
}
