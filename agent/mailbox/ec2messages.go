package mailbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// ec2messages is the row of this lane in the table.
func ec2messages() Kind {
	service := cloud.Service{Name: "ec2messages", Target: wire.TargetEC2Messages}
	return Kind{Name: EC2Messages, Service: service,
		open: func(o Options) Lane { return newPolled(o, service) },
		late: func(m Machine) Late {
			call := func(ctx context.Context, operation string, in any) error {
				c, err := m.Client(service)
				if err != nil {
					return err
				}
				return markGone(c.Call(ctx, operation, in, nil))
			}
			remove := func(ctx context.Context, messageID string) error {
				return call(ctx, "DeleteMessage", wire.DeleteMessageInput{MessageId: messageID})
			}
			return Late{
				Reply: func(ctx context.Context, messageID, replyID, payload string) error {
					return call(ctx, "SendReply", wire.SendReplyInput{MessageId: messageID, ReplyId: replyID, Payload: payload})
				},
				Delete: remove,
				Probe: func(ctx context.Context) error { // to delete a message that was never there: the service knows none of that id
					if err := remove(ctx, wire.MessageID(host.NewUUID(), m.InstanceID)); !errors.Is(err, ErrGone) {
						return err
					}
					return nil
				},
			}
		}}
}

// markGone marks the answers that no further try changes.
func markGone(err error) error {
	if declines(err) {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return err
}

// polled is the ec2messages lane (docs/protocol/runcommand.md, "ec2messages").
type polled struct {
	Options
	service cloud.Service
	heard   chan struct{} // the service answered after a failure
	room    chan struct{} // a command ended
	placed  chan struct{} // all commands that waited here have a place

	handling sync.Mutex // messages are handled one after another, in order
	held     []Message  // under handling

	passing sync.Mutex // one pass over the kept replies at a time

	mu       sync.Mutex
	client   *cloud.Client
	faults   int  // since the client was made
	silent   bool // the last call failed
	opening  gates
	declined map[string]bool // ids of kept replies that the service said no to: no other waits behind them
}

func newPolled(o Options, service cloud.Service) *polled {
	return &polled{Options: o, service: service, client: o.Dial(service), heard: make(chan struct{}, 1), room: make(chan struct{}, 1),
		placed: make(chan struct{}, 1), declined: map[string]bool{}}
}

// Name is the lane's name in state files.
func (l *polled) Name() string { return EC2Messages }

// Open: a service that is polled can be asked at any time.
func (l *polled) Open() bool { return true }

// Room tells that a command ended.
func (l *polled) Room() { signal(l.room) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run polls until the context ends.
func (l *polled) Run(ctx context.Context, accept Accept) {
	var loops sync.WaitGroup
	loops.Go(func() { l.resendLoop(ctx) })
	loops.Go(func() { l.updateLoop(ctx) })
	loops.Go(func() { l.heldLoop(ctx, accept) })
	l.poll(ctx, accept)
	loops.Wait()
}

// handle does with one message what docs/protocol/runcommand.md, "Handling one MDS message" says, in that order.
func (l *polled) handle(ctx context.Context, w wire.Message, accept Accept) {
	if lack := lacking(w); lack != "" {
		l.Log.Error(lack+" is missing", "messageID", w.MessageId)
		return
	}
	l.handling.Lock()
	defer l.handling.Unlock()
	m := Message{ID: w.MessageId, Topic: w.Topic, Destination: w.Destination, Created: w.CreatedDate, Payload: w.Payload,
		Lane: EC2Messages}
	switch {
	case strings.HasPrefix(m.Topic, wire.TopicCancelCommand):
		l.cancelHeld(ctx, m.Payload)
	case !strings.HasPrefix(m.Topic, wire.TopicSendCommand):
		l.Log.Error("message with an unknown topic", "topic", m.Topic, "messageID", m.ID)
		l.fail(ctx, m.ID)
		return
	case len(l.held) > 0: // no command overtakes those that wait
		l.hold(m)
		return
	}
	if err := l.offer(ctx, m, accept); errors.Is(err, ErrFull) {
		l.hold(m)
	}
}

func lacking(m wire.Message) string {
	switch "" {
	case m.Topic:
		return "Topic"
	case m.Destination:
		return "Destination"
	case m.MessageId:
		return "MessageId"
	case m.CreatedDate:
		return "CreatedDate"
	}
	return ""
}

// offer offers the message to the queue and answers the service. It returns what the queue said.
func (l *polled) offer(ctx context.Context, m Message, accept Accept) error {
	opened := l.opening.open(m.ID)
	defer opened()
	err := l.handover.offer(ctx, m, accept, l.Guard)
	var rejected *Rejected
	var unkept *Unkept
	switch {
	case err == nil, errors.Is(err, ErrDuplicate):
		l.document(ctx, m.ID, seqInProgress, wire.InProgress, "")
		opened()
		_ = l.ack(ctx, m.ID) // not taken: it comes again, and is a duplicate
	case errors.As(err, &unkept):
		l.document(ctx, m.ID, seqInProgress, wire.InProgress, "")
		opened()
		unkept.Begin(l.ack(ctx, m.ID) == nil)
	case errors.As(err, &rejected):
		l.Log.Error("command rejected", "messageID", m.ID, "error", rejected.Trace)
		l.document(ctx, m.ID, seqRejected, wire.Failed, rejected.Trace)
	case errors.Is(err, ErrUnreadable):
		l.Log.Error("message cannot be read", "messageID", m.ID, "error", err)
		l.fail(ctx, m.ID)
	case errors.Is(err, ErrFull):
	default:
		l.Log.Warn("message dropped, the service will deliver it again", "messageID", m.ID, "error", err)
	}
	return err
}

// Numbers of the replies that lanes make themselves; the dispatcher's are from 1 on, and a few from -1 down.
const (
	seqInProgress = 0
	seqRejected   = -101
	seqWaited     = -102 // cancelled while it waited for a place
)

// document sends a reply about a message as a whole. A message that is delivered once more gets the same one.
func (l *polled) document(ctx context.Context, id string, seq int, status, trace string) {
	body := wire.Reply{AdditionalInfo: l.Head(), DocumentStatus: status, DocumentTraceOutput: trace}
	if err := l.send(ctx, Answer{MessageID: id, ID: ReplyID(id, seq), Body: body}); err != nil && ctx.Err() == nil {
		l.Log.Error("reply lost", "messageID", id, "status", status, "error", err)
	}
}

// Reply sends or keeps, after the message's InProgress and after what is kept of earlier replies about it.
func (l *polled) Reply(ctx context.Context, r Answer) error {
	if err := l.opening.wait(ctx, r.MessageID); err != nil {
		return err
	}
	return l.send(ctx, r)
}

func (l *polled) send(ctx context.Context, r Answer) error {
	able := l.Connected()
	r.Body.AdditionalInfo.AbleToOpenMGSConnection = &able
	payload, err := json.Marshal(r.Body)
	if err != nil {
		return err
	}
	in := wire.SendReplyInput{MessageId: r.MessageID, Payload: string(payload), ReplyId: r.ID}
	if l.waits(in) {
		l.resend(ctx)
	}
	if err = errBehind; !l.waits(in) {
		err = l.sendReply(ctx, in)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	l.Log.Error("reply not taken, kept for later", "messageID", r.MessageID, "replyID", r.ID, "error", err)
	return l.keepReply(in)
}

// errBehind: replies about a message go out in the order they were made.
var errBehind = errors.New("an earlier reply about the same message is kept")

// sendReply notes what the service said no to.
func (l *polled) sendReply(ctx context.Context, in wire.SendReplyInput) error {
	err := l.call(ctx, "SendReply", in, nil)
	if declines(err) {
		l.mu.Lock()
		l.declined[in.ReplyId] = true
		l.mu.Unlock()
	}
	return err
}

// declines tells a no to this one message or reply from trouble of the service or of the node.
func declines(err error) bool {
	switch cloud.Code(err) {
	case "InvalidMessageIdException", "UnsupportedMessageOperationException":
		return true
	}
	return false
}

func (l *polled) ack(ctx context.Context, id string) error {
	err := l.call(ctx, "AcknowledgeMessage", wire.AcknowledgeMessageInput{MessageId: id}, nil)
	if err != nil && ctx.Err() == nil {
		l.Log.Error("message not acknowledged", "messageID", id, "error", err)
	}
	return err
}

func (l *polled) fail(ctx context.Context, id string) {
	in := wire.FailMessageInput{FailureType: wire.InternalHandlerException, MessageId: id}
	if err := l.call(ctx, "FailMessage", in, nil); err != nil && ctx.Err() == nil {
		l.Log.Error("message not failed", "messageID", id, "error", err)
	}
}
