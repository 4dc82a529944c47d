package local

import (
	"strings"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// schedule puts as many messages into mailboxes as MaxConcurrency allows, and gives up the rest once MaxErrors is
// exceeded. Saving cmd is the caller's.
func (r *Region) schedule(tx *bbolt.Tx, cmd *command) error {
	open := 0
	for _, s := range cmd.Standing {
		if s.Sent && !s.final() {
			open++
		}
	}
	tooMany := cmd.counts().errors > cmd.errorsAllowed()
	for _, id := range cmd.Order {
		s := cmd.Standing[id]
		if s.Sent || s.final() {
			continue
		}
		if tooMany {
			cmd.Standing[id] = standing{Status: wire.Cancelled, Details: terminated}
			continue
		}
		if open == cmd.atOnce() {
			break
		}
		if err := r.post(tx, id, wire.TopicSendCommand, wire.MessageID(cmd.ID, id), cmd.Payload); err != nil {
			return err
		}
		s.Sent = true
		cmd.Standing[id] = s
		open++
	}
	return nil
}

// setAlarms notes when the command must be looked at even if nobody answers.
func setAlarms(tx *bbolt.Tx, cmd command) error {
	for _, at := range []time.Time{cmd.Deadline, cmd.Expires} {
		if err := save(tx, inDeadlines, sortable(at.UnixNano())+"/"+cmd.ID, nil); err != nil {
			return err
		}
	}
	return nil
}

// move changes where a node stands, unless it already came to an end: final statuses never move back.
func (cmd *command) move(instance, status, details string) (moved bool) {
	s, ok := cmd.Standing[instance]
	if !ok || s.final() || s.Status == cancelling && status == wire.InProgress {
		return false
	}
	s.Status, s.Details = status, details
	cmd.Standing[instance] = s
	return true
}

// change loads the command a message belongs to, lets do change it, and saves it when it says so. Messages that belong to
// no command (cancels) change nothing.
func (r *Region) change(tx *bbolt.Tx, messageID string, do func(cmd *command, inv *invocation) (changed bool, err error)) error {
	id := wire.CommandID(messageID)
	cmd, ok, err := fetch[command](tx, inCommands, id)
	if err != nil || !ok {
		return err
	}
	instance := messageID[strings.LastIndexByte(messageID, '.')+1:]
	inv, ok, err := fetch[invocation](tx, inInvocations, id+"/"+instance)
	if err != nil || !ok {
		return err
	}
	changed, err := do(&cmd, &inv)
	if err != nil || !changed {
		return err
	}
	if cmd.Standing[instance].final() {
		if inv.Finished.IsZero() {
			inv.Finished = r.now()
		}
		if err := r.schedule(tx, &cmd); err != nil {
			return err
		}
	}
	tx.OnCommit(func() { r.wake("command/" + id) })
	if err := save(tx, inInvocations, inv.key(), inv); err != nil {
		return err
	}
	return save(tx, inCommands, id, cmd)
}

// started notes that a node acknowledged a command.
func (r *Region) started(tx *bbolt.Tx, messageID string) error {
	return r.change(tx, messageID, func(cmd *command, inv *invocation) (bool, error) {
		return cmd.move(inv.Instance, wire.InProgress, wire.InProgress), nil
	})
}

// undeliverable notes that a node could not take a command.
func (r *Region) undeliverable(tx *bbolt.Tx, messageID string) error {
	return r.change(tx, messageID, func(cmd *command, inv *invocation) (bool, error) {
		return cmd.move(inv.Instance, wire.Failed, undeliverable), nil
	})
}

// replied takes a reply in. A terminal one also consumes the message: a node that refuses a document never acknowledges it
// (spec runcommand 2.6). SuccessAndReboot is no end: after the reboot another reply follows (spec runcommand 8.1), and so
// does one to the InProgress with which an update's document ends.
func (r *Region) replied(tx *bbolt.Tx, messageID string, reply wire.Reply) error {
	status, details, final := outcome(reply.DocumentStatus)
	if final {
		if err := r.takeOut(tx, messageID); err != nil {
			return err
		}
	}
	return r.change(tx, messageID, func(cmd *command, inv *invocation) (bool, error) {
		if s := cmd.Standing[inv.Instance]; s.final() {
			return (s.Status == wire.Success || s.Status == wire.Failed) && inv.fill(reply), nil
		}
		inv.merge(reply)
		cmd.move(inv.Instance, status, details)
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

// callOff asks the given nodes (none: all) to stop. What certainly never reached its node ends at once.
func (r *Region) callOff(tx *bbolt.Tx, cmd *command, instances []string) error {
	for _, id := range instances {
		s, ok := cmd.Standing[id]
		if !ok || s.final() || s.Status == cancelling {
			continue
		}
		message := wire.MessageID(cmd.ID, id)
		l, unread, err := inMailbox(tx, message)
		if err != nil {
			return err
		}
		if !s.Sent || unread && r.desk.withdraw(l) {
			cmd.move(id, wire.Cancelled, wire.Cancelled)
			if err := r.takeOut(tx, message); err != nil {
				return err
			}
			continue
		}
		cmd.move(id, cancelling, cancelling)
		own := wire.MessageID(uuid.NewString(), id)
		if err := r.post(tx, id, wire.TopicCancelCommand, own, wire.CancelCommand{CancelMessageId: message}); err != nil {
			return err
		}
		if err := save(tx, inCancels, own, message); err != nil {
			return err
		}
	}
	tx.OnCommit(func() { r.wake("command/" + cmd.ID) })
	return r.schedule(tx, cmd)
}

// settle lets pass what is due: messages not delivered in time, and answers waited for too long.
func (r *Region) settle() error {
	now := r.now()
	isDue := func(key []byte) bool { return key != nil && string(key[:16]) <= sortable(now.UnixNano()) }
	var nothing bool
	err := r.db.View(func(tx *bbolt.Tx) error {
		first, _ := tx.Bucket([]byte(inDeadlines)).Cursor().First()
		nothing = !isDue(first)
		return nil
	})
	if err != nil || nothing {
		return err
	}
	return r.db.Update(func(tx *bbolt.Tx) error {
		for _, key := range keysOf(tx, inDeadlines, "") {
			if !isDue([]byte(key)) {
				break
			}
			if err := r.overdue(tx, key[strings.IndexByte(key, '/')+1:], now); err != nil {
				return err
			}
			if err := remove(tx, inDeadlines, key); err != nil {
				return err
			}
		}
		return nil
	})
}

// overdue gives up what a command has not delivered by its deadline, and everything open when it expires.
func (r *Region) overdue(tx *bbolt.Tx, id string, now time.Time) error {
	cmd, ok, err := fetch[command](tx, inCommands, id)
	if err != nil || !ok {
		return err
	}
	for _, instance := range cmd.Order {
		s := cmd.Standing[instance]
		if s.final() || s.Status != pending && now.Before(cmd.Expires) {
			continue
		}
		if err := r.takeOut(tx, wire.MessageID(id, instance)); err != nil {
			return err
		}
		if s.Status == cancelling {
			cmd.move(instance, wire.Cancelled, wire.Cancelled)
		} else {
			cmd.move(instance, wire.TimedOut, deliveryTimedOut)
		}
	}
	tx.OnCommit(func() { r.wake("command/" + id) })
	return save(tx, inCommands, id, cmd)
}
