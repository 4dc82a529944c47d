package commands

import (
	"encoding/json"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// KeptReply is one reply of a node as it came in, each id once.
type KeptReply struct {
	At      time.Time
	ReplyID string
	Payload string // JSON of a [wire.Reply]
}

// Reply keeps a reply once by its id, and lets it change the command it belongs to; fresh is false for an id that came before.
// Whatever lane brings a reply, it comes here.
func (tr *Tracker) Reply(tx *records.Tx, messageID, replyID, payload string) (fresh bool, err error) {
	if records.Has(tx, replyIDsTable, replyID) {
		return false, nil
	}
	if err := records.SaveRaw(tx, replyIDsTable, replyID, messageID); err != nil {
		return false, err
	}
	n, err := records.Number(tx, repliesTable)
	if err != nil {
		return false, err
	}
	key := wire.CommandID(messageID) + "/" + nodeOf(messageID) + "/" + n
	if err := records.Save(tx, repliesTable, key, KeptReply{At: tr.now(), ReplyID: replyID, Payload: payload}); err != nil {
		return false, err
	}
	var reply wire.Reply
	if err := json.Unmarshal([]byte(payload), &reply); err != nil {
		return true, protocol.Refuse("UnsupportedMessageOperationException", "The payload isn't a reply: %v.", err)
	}
	return true, tr.replied(tx, messageID, reply)
}

// replied takes a reply in. A terminal one also consumes the message: a node that refuses a document never acknowledges it
// (docs/protocol/runcommand.md, "Handling one MDS message"). SuccessAndReboot is no end: after the reboot another reply follows
// (docs/protocol/runcommand.md, "Status values"), and so does one to the InProgress with which an update's document ends.
func (tr *Tracker) replied(tx *records.Tx, messageID string, reply wire.Reply) error {
	status, details, final := outcome(reply.DocumentStatus)
	if final {
		if err := tr.mail.Settle(tx, messageID); err != nil {
			return err
		}
	}
	return tr.change(tx, messageID, func(cmd *command, inv *invocation) (bool, error) {
		if s := cmd.Standing[inv.Instance]; s.final() {
			return (s.Status == wire.Success || s.Status == wire.Failed) && inv.takeLate(reply), nil
		}
		inv.merge(reply)
		cmd.advance(inv.Instance, status, details)
		return true, nil
	})
}

// outcome translates the document status of a reply.
func outcome(documentStatus string) (status, details string, final bool) {
	switch documentStatus {
	case wire.Success, wire.Cancelled, wire.Failed:
		return documentStatus, documentStatus, true
	case wire.TimedOut:
		return wire.TimedOut, executionTimedOut, true
	default:
		return wire.InProgress, wire.InProgress, false
	}
}
