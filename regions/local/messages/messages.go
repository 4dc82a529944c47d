// Package messages is the service ec2messages of a local region: the lane by which a node polls for its messages and answers them.
//
// GetMessages is a long poll: it answers at once when something lies in the node's mailbox, with an empty list after 15 s, and so while the
// node has a control channel of ssmmessages open, which brings its messages then. A message is settled by AcknowledgeMessage, FailMessage,
// DeleteMessage, or a reply that ends its command; what follows from that is said to the commands of ssm. A node reaches its own mailbox
// only.
//
// It owns no records: letters are the mailbox's, replies the commands'. Facts: docs/protocol/runcommand.md, "ec2messages".
package messages

import (
	"cmp"
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/mailbox"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/commands"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/nodes"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Limits of the lane (docs/protocol/runcommand.md, "Polling and back-off").
const (
	pollHeld       = 15 * time.Second // less than the 20 s after which the agent gives up
	hiddenFor      = 10 * time.Second // a message given out comes again after this, unless it is settled
	messagesAtOnce = 10
)

// Lane is the service ec2messages.
type Lane struct {
	records  *records.Store
	mail     *mailbox.Mailbox
	commands *commands.Tracker
	held     atomic.Int64 // ns a poll without messages is held
}

// New makes the lane of a region.
func New(store *records.Store, mail *mailbox.Mailbox, c *commands.Tracker) *Lane {
	lane := &Lane{records: store, mail: mail, commands: c}
	lane.Hold(0)
	return lane
}

// Service is the row of ec2messages in the dispatch table.
func (lane *Lane) Service(gate *protocol.Gate) protocol.Service {
	return gate.JSON("ec2messages", "EC2WindowsMessageDeliveryService", protocol.Operations{
		"GetEndpoint":        {Allow: protocol.Node, Run: lane.getEndpoint},
		"GetMessages":        {Allow: protocol.Node, Run: lane.getMessages},
		"AcknowledgeMessage": {Allow: protocol.Node, Run: lane.acknowledgeMessage},
		"SendReply":          {Allow: protocol.Node, Run: lane.sendReply},
		"FailMessage":        {Allow: protocol.Node, Run: lane.failMessage},
		"DeleteMessage":      {Allow: protocol.Node, Run: lane.deleteMessage},
	})
}

// Hold sets how long a poll without messages is held; 0 means the usual 15 s.
func (lane *Lane) Hold(d time.Duration) { lane.held.Store(int64(cmp.Or(d, pollHeld))) }

func (lane *Lane) getEndpoint(c *protocol.Call) (any, error) {
	var in wire.GetEndpointInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := own(c, in.Destination); err != nil {
		return nil, err
	}
	return wire.GetEndpointOutput{Endpoint: "http://" + c.Request.Host}, nil
}

// own refuses a destination that isn't the caller.
func own(c *protocol.Call, destination string) error {
	var k protocol.Check
	k.Required("destination", destination)
	k.Length("destination", destination, 10, 1024)
	if err := k.Err(); err != nil {
		return err
	}
	if destination != c.Caller.InstanceID {
		return protocol.Refuse("AuthorizationFailureException", "%s may not use the mailbox of %s.", c.Caller.InstanceID, destination)
	}
	return nil
}

// getMessages is one long poll: it answers as soon as there is something to give out, with an empty list after a while.
func (lane *Lane) getMessages(c *protocol.Call) (any, error) {
	var in wire.GetMessagesInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := own(c, in.Destination); err != nil {
		return nil, err
	}
	hidden := hiddenFor
	if in.VisibilityTimeoutInSeconds > 0 {
		hidden = time.Duration(in.VisibilityTimeoutInSeconds) * time.Second
	}
	messages, err := lane.poll(c.Context(), in.Destination, hidden)
	return wire.GetMessagesOutput{Destination: in.Destination, Messages: messages, MessagesRequestId: in.MessagesRequestId}, err
}

func (lane *Lane) poll(ctx context.Context, id string, hidden time.Duration) ([]wire.Message, error) {
	end := time.NewTimer(time.Duration(lane.held.Load()))
	defer end.Stop()
	for {
		changed := lane.mail.Changed(id)
		messages, again, err := lane.visible(id, hidden)
		if err != nil || len(messages) > 0 {
			return messages, err
		}
		visible := time.NewTimer(again)
		select {
		case <-changed:
		case <-visible.C:
		case <-end.C:
			visible.Stop()
			return []wire.Message{}, nil
		case <-ctx.Done():
			visible.Stop()
			return []wire.Message{}, nil
		}
		visible.Stop()
	}
}

// visible gives out what is visible for a node, and says how long until something hidden is visible again.
func (lane *Lane) visible(id string, hidden time.Duration) (messages []wire.Message, again time.Duration, err error) {
	if err := lane.commands.Settle(); err != nil {
		return nil, 0, err
	}
	if lane.mail.HasChannel(id) {
		return nil, time.Hour, nil // it has them; the end of the channel ends the wait
	}
	var waiting []mailbox.Letter
	err = lane.records.View(func(tx *records.Tx) (err error) {
		if _, err := nodes.Present(tx, id); err != nil {
			return protocol.Refuse("InvalidDestinationException", "%s isn't a managed node of this region.", id)
		}
		waiting, err = mailbox.Waiting(tx, id)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	messages, again = lane.mail.Give(waiting, messagesAtOnce, hidden)
	return messages, again, nil
}

// addressed reads the message id of a request and refuses one that isn't the caller's.
func addressed(c *protocol.Call, id string) error {
	if len(id) < 16 {
		return protocol.Refuse("InvalidMessageIdException", "The message ID %q isn't valid.", id)
	}
	if !strings.HasSuffix(id, "."+c.Caller.InstanceID) {
		return protocol.Refuse("AuthorizationFailureException", "The message %s isn't for %s.", id, c.Caller.InstanceID)
	}
	return nil
}

func (lane *Lane) acknowledgeMessage(c *protocol.Call) (any, error) {
	var in wire.AcknowledgeMessageInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return lane.settle(c, in.MessageId, func(tx *records.Tx) error { return lane.commands.Started(tx, in.MessageId) })
}

func (lane *Lane) deleteMessage(c *protocol.Call) (any, error) {
	var in wire.DeleteMessageInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	return lane.settle(c, in.MessageId, func(*records.Tx) error { return nil })
}

func (lane *Lane) failMessage(c *protocol.Call) (any, error) {
	var in wire.FailMessageInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if in.FailureType != wire.NoHandlerExists && in.FailureType != wire.InternalHandlerException {
		var k protocol.Check
		k.Required("failureType", in.FailureType)
		k.OneOf("failureType", in.FailureType, wire.NoHandlerExists, wire.InternalHandlerException)
		return nil, k.Err()
	}
	return lane.settle(c, in.MessageId, func(tx *records.Tx) error { return lane.commands.Undeliverable(tx, in.MessageId) })
}

// settle takes a message out of the mailbox and does what follows from it. A message already taken out is settled again
// without complaint; one that never was is an InvalidMessageIdException.
func (lane *Lane) settle(c *protocol.Call, id string, then func(*records.Tx) error) (any, error) {
	if err := addressed(c, id); err != nil {
		return nil, err
	}
	return struct{}{}, lane.records.Update(func(tx *records.Tx) error {
		if err := known(tx, id); err != nil {
			return err
		}
		if err := lane.mail.Settle(tx, id); err != nil {
			return err
		}
		return then(tx)
	})
}

// known refuses message ids that were never sent.
func known(tx *records.Tx, id string) error {
	if mailbox.Known(tx, id) {
		return nil
	}
	return protocol.Refuse("InvalidMessageIdException", "There is no message %s.", id)
}

func (lane *Lane) sendReply(c *protocol.Call) (any, error) {
	var in wire.SendReplyInput
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	if err := addressed(c, in.MessageId); err != nil {
		return nil, err
	}
	var k protocol.Check
	k.Required("replyId", in.ReplyId)
	k.Length("replyId", in.ReplyId, 16, 1024)
	k.Required("payload", in.Payload)
	if err := k.Err(); err != nil {
		return nil, err
	}
	out := wire.SendReplyOutput{MessageId: in.MessageId, ReplyId: in.ReplyId, ReplyStatus: "Acknowledged"}
	err := lane.records.Update(func(tx *records.Tx) error {
		if err := known(tx, in.MessageId); err != nil {
			return err
		}
		fresh, err := lane.commands.Reply(tx, in.MessageId, in.ReplyId, in.Payload)
		if !fresh {
			out.ReplyStatus, out.Description = "NoActionTaken", "duplicate"
		}
		return err
	})
	return out, err
}
