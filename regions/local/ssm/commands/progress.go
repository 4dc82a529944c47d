package commands

import (
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// schedule puts as many messages into mailboxes as MaxConcurrency allows, and gives up the rest once MaxErrors is
// exceeded. Saving cmd is the caller's.
func (tr *Tracker) schedule(tx *records.Tx, cmd *command) error {
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
		if err := tr.mail.Post(tx, id, wire.TopicSendCommand, wire.MessageID(cmd.ID, id), cmd.Payload); err != nil {
			return err
		}
		s.Sent = true
		cmd.Standing[id] = s
		open++
	}
	return nil
}

// setDeadlines notes when the command must be looked at even if no node answers.
func setDeadlines(tx *records.Tx, cmd command) error {
	for _, at := range []time.Time{cmd.Deadline, cmd.Expires} {
		if err := records.Save(tx, deadlinesTable, records.Sortable(at.UnixNano())+"/"+cmd.ID, nil); err != nil {
			return err
		}
	}
	return nil
}

// advance changes where a node stands, unless it already came to an end: final statuses never move back.
func (cmd *command) advance(instance, status, details string) (moved bool) {
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
func (tr *Tracker) change(tx *records.Tx, messageID string, do func(cmd *command, inv *invocation) (changed bool, err error)) error {
	id := wire.CommandID(messageID)
	cmd, ok, err := records.Fetch[command](tx, commandsTable, id)
	if err != nil || !ok {
		return err
	}
	instance := nodeOf(messageID)
	inv, ok, err := records.Fetch[invocation](tx, invocationsTable, id+"/"+instance)
	if err != nil || !ok {
		return err
	}
	changed, err := do(&cmd, &inv)
	if err != nil || !changed {
		return err
	}
	if cmd.Standing[instance].final() {
		if inv.Finished.IsZero() {
			inv.Finished = tr.now()
		}
		if err := tr.schedule(tx, &cmd); err != nil {
			return err
		}
	}
	tx.Signal(signalOf(id))
	if err := records.Save(tx, invocationsTable, inv.key(), inv); err != nil {
		return err
	}
	return records.Save(tx, commandsTable, id, cmd)
}

// Started notes that a node acknowledged a command.
func (tr *Tracker) Started(tx *records.Tx, messageID string) error {
	return tr.change(tx, messageID, func(cmd *command, inv *invocation) (bool, error) {
		return cmd.advance(inv.Instance, wire.InProgress, wire.InProgress), nil
	})
}

// Undeliverable notes that a node could not take a command.
func (tr *Tracker) Undeliverable(tx *records.Tx, messageID string) error {
	return tr.change(tx, messageID, func(cmd *command, inv *invocation) (bool, error) {
		return cmd.advance(inv.Instance, wire.Failed, undeliverable), nil
	})
}
