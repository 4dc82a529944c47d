package mailbox

import (
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
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// ReplyID is the id of the answer number seq about a message: the same in every process and at any time, so that an answer
// sent again after a crash can be told from a new one. It has the shape of a UUID v4.
func ReplyID(messageID string, seq int) string {
	var b [16]byte
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", messageID, seq))
	copy(b[:], sum[:])
	return host.UUID(b)
}

// replyLife is how long a kept reply is worth sending, replyPass the time between two tries (docs/protocol/runcommand.md, "Failed
// replies").
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

// keepReply writes a reply to <directory>/replies/<reply id>_<time>, unless it lies there already.
func (l *polled) keepReply(in wire.SendReplyInput) error {
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
	text, err := indented(keptReply{nil, in.MessageId, in.Payload, in.ReplyId})
	if err != nil {
		return err
	}
	path := filepath.Join(dir, in.ReplyId+"_"+l.Now().UTC().Format(replyStamp))
	if err := journal.Write(path, text); err != nil {
		return err
	}
	_ = os.Chtimes(path, time.Time{}, time.Now()) // finer than some systems note themselves: it decides who goes first
	return nil
}

// kept are the names of the kept replies, the oldest first. (The original goes by name, which is by chance.)
func (l *polled) kept() []string {
	return oldestFirst(filepath.Join(l.Directory, "replies"))
}

func (l *polled) readKept(name string) (in wire.SendReplyInput, err error) {
	var kept keptReply
	data, err := os.ReadFile(filepath.Join(l.Directory, "replies", name))
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err == nil && kept.ReplyId == "" {
		err = errors.New("it has no id")
	}
	return wire.SendReplyInput{MessageId: kept.MessageId, Payload: kept.Payload, ReplyId: kept.ReplyId}, err
}

// waits tells whether a reply has to wait for another one about the same message.
func (l *polled) waits(in wire.SendReplyInput) bool {
	for _, name := range l.kept() {
		other, err := l.readKept(name)
		if err != nil || other.MessageId != in.MessageId || l.outlived(name) {
			continue
		}
		if other.ReplyId == in.ReplyId {
			return false // it is the next itself
		}
		l.mu.Lock()
		no := l.declined[other.ReplyId]
		l.mu.Unlock()
		if !no {
			return true
		}
	}
	return false
}

// resend is one pass over the kept replies. It ends early when the service takes none; one that it does not want has its
// turn again, until it is too old, and holds up no other.
func (l *polled) resend(ctx context.Context) {
	l.passing.Lock()
	defer l.passing.Unlock()
	for _, name := range l.kept() {
		path := filepath.Join(l.Directory, "replies", name)
		if l.outlived(name) {
			l.Log.Warn("reply was never taken, thrown away", "file", name)
			os.Remove(path)
			l.forget(name)
			continue
		}
		in, err := l.readKept(name)
		if err != nil {
			l.Log.Warn("kept reply cannot be read, left alone", "file", name, "error", err)
			continue
		}
		err = l.sendReply(ctx, in)
		if declines(err) {
			continue
		}
		if err != nil {
			return
		}
		os.Remove(path)
	}
}

func (l *polled) forget(name string) {
	id, _, _ := strings.Cut(name, "_")
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.declined, id)
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
