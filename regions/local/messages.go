package local

import (
	"encoding/json"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// messageOperations are the operations of ec2messages (spec runcommand 2.2). A node reaches its own mailbox only.
func messageOperations() map[string]operation {
	return map[string]operation{
		"GetEndpoint":        {node, getEndpoint},
		"GetMessages":        {node, getMessages},
		"AcknowledgeMessage": {node, acknowledgeMessage},
		"SendReply":          {node, sendReply},
		"FailMessage":        {node, failMessage},
		"DeleteMessage":      {node, deleteMessage},
	}
}

const (
	pollHeld       = 15 * time.Second // less than the 20 s after which the agent gives up (spec runcommand 2.8)
	hiddenFor      = 10 * time.Second // a message given out comes again after this, unless acknowledged
	messagesAtOnce = 10
)

func getEndpoint(c *call) (any, error) {
	var in wire.GetEndpointInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := own(c, in.Destination); err != nil {
		return nil, err
	}
	return wire.GetEndpointOutput{Endpoint: "http://" + c.http.Host}, nil
}

// own refuses a destination that isn't the caller.
func own(c *call, destination string) error {
	var k check
	k.required("destination", destination)
	k.length("destination", destination, 10, 1024)
	if err := k.err(); err != nil {
		return err
	}
	if destination != c.caller.instanceID {
		return refuse("AuthorizationFailureException", "%s may not use the mailbox of %s.", c.caller.instanceID, destination)
	}
	return nil
}

// getMessages is one long poll: it answers as soon as there is something to give out, with an empty list after a while.
func getMessages(c *call) (any, error) {
	var in wire.GetMessagesInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := own(c, in.Destination); err != nil {
		return nil, err
	}
	hidden := hiddenFor
	if in.VisibilityTimeoutInSeconds > 0 {
		hidden = time.Duration(in.VisibilityTimeoutInSeconds) * time.Second
	}
	messages, err := c.region.poll(c, in.Destination, hidden)
	return wire.GetMessagesOutput{Destination: in.Destination, Messages: messages, MessagesRequestId: in.MessagesRequestId}, err
}

func (r *Region) poll(c *call, id string, hidden time.Duration) ([]wire.Message, error) {
	end := time.NewTimer(r.desk.hold())
	defer end.Stop()
	for {
		changed := r.waiter("mail/" + id)
		messages, again, err := r.hand(id, hidden)
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
		case <-c.ctx.Done():
			visible.Stop()
			return []wire.Message{}, nil
		}
		visible.Stop()
	}
}

// hand gives out what is visible for a node, and says how long until something hidden is visible again.
func (r *Region) hand(id string, hidden time.Duration) (messages []wire.Message, again time.Duration, err error) {
	if err := r.settle(); err != nil {
		return nil, 0, err
	}
	var waiting []letter
	err = r.db.View(func(tx *bbolt.Tx) error {
		if _, err := present(tx, id); err != nil {
			return refuse("InvalidDestinationException", "%s isn't a managed node of this region.", id)
		}
		return each(tx, inMail, id+"/", func(_ string, l letter) bool { waiting = append(waiting, l); return false })
	})
	if err != nil {
		return nil, 0, err
	}
	messages, again = r.desk.hand(waiting, r.now(), hidden)
	return messages, again, nil
}

// addressed reads the message id of a request and refuses one that isn't the caller's.
func addressed(c *call, id string) error {
	if len(id) < 16 {
		return refuse("InvalidMessageIdException", "The message ID %q isn't valid.", id)
	}
	if !strings.HasSuffix(id, "."+c.caller.instanceID) {
		return refuse("AuthorizationFailureException", "The message %s isn't for %s.", id, c.caller.instanceID)
	}
	return nil
}

func acknowledgeMessage(c *call) (any, error) {
	var in wire.AcknowledgeMessageInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	return c.settled(in.MessageId, func(tx *bbolt.Tx) error { return c.region.started(tx, in.MessageId) })
}

func deleteMessage(c *call) (any, error) {
	var in wire.DeleteMessageInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	return c.settled(in.MessageId, func(*bbolt.Tx) error { return nil })
}

func failMessage(c *call) (any, error) {
	var in wire.FailMessageInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.FailureType != wire.NoHandlerExists && in.FailureType != wire.InternalHandlerException {
		var k check
		k.required("failureType", in.FailureType)
		k.oneOf("failureType", in.FailureType, wire.NoHandlerExists, wire.InternalHandlerException)
		return nil, k.err()
	}
	return c.settled(in.MessageId, func(tx *bbolt.Tx) error { return c.region.undeliverable(tx, in.MessageId) })
}

// settled takes a message out of the mailbox and does what follows from it. A message already taken out is settled again
// without complaint; one that never was is an InvalidMessageIdException.
func (c *call) settled(id string, then func(*bbolt.Tx) error) (any, error) {
	if err := addressed(c, id); err != nil {
		return nil, err
	}
	return struct{}{}, c.region.db.Update(func(tx *bbolt.Tx) error {
		if err := known(tx, id); err != nil {
			return err
		}
		if err := c.region.takeOut(tx, id); err != nil {
			return err
		}
		return then(tx)
	})
}

// known refuses message ids that were never sent.
func known(tx *bbolt.Tx, id string) error {
	if tx.Bucket([]byte(inMailIDs)).Get([]byte(id)) != nil {
		return nil
	}
	return refuse("InvalidMessageIdException", "There is no message %s.", id)
}

func sendReply(c *call) (any, error) {
	var in wire.SendReplyInput
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := addressed(c, in.MessageId); err != nil {
		return nil, err
	}
	var k check
	k.required("replyId", in.ReplyId)
	k.length("replyId", in.ReplyId, 16, 1024)
	k.required("payload", in.Payload)
	if err := k.err(); err != nil {
		return nil, err
	}
	out := wire.SendReplyOutput{MessageId: in.MessageId, ReplyId: in.ReplyId, ReplyStatus: "Acknowledged"}
	err := c.region.db.Update(func(tx *bbolt.Tx) error {
		if err := known(tx, in.MessageId); err != nil {
			return err
		}
		fresh, err := c.region.keepReply(tx, in)
		if !fresh {
			out.ReplyStatus, out.Description = "NoActionTaken", "duplicate"
		}
		return err
	})
	return out, err
}

// keepReply stores a reply once by its id and lets it change the command it belongs to.
func (r *Region) keepReply(tx *bbolt.Tx, in wire.SendReplyInput) (fresh bool, err error) {
	seen := tx.Bucket([]byte(inReplyIDs))
	if seen.Get([]byte(in.ReplyId)) != nil {
		return false, nil
	}
	if err := seen.Put([]byte(in.ReplyId), []byte(in.MessageId)); err != nil {
		return false, err
	}
	n, err := number(tx, inReplies)
	if err != nil {
		return false, err
	}
	invocation := wire.CommandID(in.MessageId) + "/" + in.MessageId[strings.LastIndexByte(in.MessageId, '.')+1:]
	if err := save(tx, inReplies, invocation+"/"+n, Reply{At: r.now(), ReplyID: in.ReplyId, Payload: in.Payload}); err != nil {
		return false, err
	}
	var reply wire.Reply
	if err := json.Unmarshal([]byte(in.Payload), &reply); err != nil {
		return true, refuse("UnsupportedMessageOperationException", "The payload isn't a reply: %v.", err)
	}
	return true, r.replied(tx, in.MessageId, reply)
}
