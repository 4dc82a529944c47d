package commands

import (
	"slices"

	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/regions/local/mailbox"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

func (tr *Tracker) cancelCommand(c *protocol.Call) (any, error) {
	var in struct {
		CommandId   string
		InstanceIds []string
	}
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if !protocol.IsUUID(in.CommandId) {
		return nil, protocol.Refuse("InvalidCommandId", "The command ID %q isn't valid.", in.CommandId)
	}
	for i, id := range in.InstanceIds {
		if slices.Contains(in.InstanceIds[:i], id) {
			return nil, protocol.Refuse("DuplicateInstanceId", "%s is named twice.", id)
		}
	}
	return struct{}{}, tr.cancel(in.CommandId, in.InstanceIds)
}

func (tr *Tracker) cancel(commandID string, instances []string) error {
	return tr.records.Update(func(tx *records.Tx) error {
		cmd, ok, err := records.Fetch[command](tx, commandsTable, commandID)
		if err != nil || !ok {
			return protocol.NotFound(err, protocol.Refuse("InvalidCommandId", "There is no command %s.", commandID))
		}
		for _, id := range instances {
			if _, ok := cmd.Standing[id]; !ok {
				return protocol.Refuse("InvalidInstanceId", "The command %s wasn't sent to %s.", commandID, id)
			}
		}
		if len(instances) == 0 {
			instances = cmd.Order
		}
		if err := tr.cancelAt(tx, &cmd, instances); err != nil {
			return err
		}
		return records.Save(tx, commandsTable, cmd.ID, cmd)
	})
}

// cancelAt asks the given nodes (none: all) to stop. What certainly never reached its node ends at once.
func (tr *Tracker) cancelAt(tx *records.Tx, cmd *command, instances []string) error {
	for _, id := range instances {
		s, ok := cmd.Standing[id]
		if !ok || s.final() || s.Status == cancelling {
			continue
		}
		message := wire.MessageID(cmd.ID, id)
		l, unread, err := mailbox.Unsettled(tx, message)
		if err != nil {
			return err
		}
		if !s.Sent || unread && tr.mail.Withdraw(l) {
			cmd.advance(id, wire.Cancelled, wire.Cancelled)
			if err := tr.mail.Settle(tx, message); err != nil {
				return err
			}
			continue
		}
		cmd.advance(id, cancelling, cancelling)
		own := wire.MessageID(uuid.NewString(), id)
		if err := tr.mail.Post(tx, id, wire.TopicCancelCommand, own, wire.CancelCommand{CancelMessageId: message}); err != nil {
			return err
		}
		if err := records.Save(tx, cancelsTable, own, message); err != nil {
			return err
		}
	}
	tx.Signal(signalOf(cmd.ID))
	return tr.schedule(tx, cmd)
}
