package mailbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/socket"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// ssmmessages is the row of this lane in the table. Its messages' dates are a time printed as text (docs/protocol/runcommand.md,
// "Handling one agent_job").
func ssmmessages() Kind {
	service := cloud.Service{Name: "ssmmessages"}
	return Kind{Name: SSMMessages, Service: service, Undated: true, Asked: true,
		open: func(o Options) Lane { return newChannel(o, service) },
		late: func(m Machine) Late {
			return Late{
				Reply: func(_ context.Context, messageID, replyID, payload string) error {
					return leaveUpdate(m, messageID, replyID, payload)
				},
				Delete: func(context.Context, string) error { return nil }, // an answer ends a job
				Probe: func(ctx context.Context) error {
					c, err := m.Client(service)
					if err == nil {
						_, err = c.CreateChannel(ctx, channelPath(m.InstanceID), createInput())
					}
					return err
				},
			}
		}}
}

func channelPath(instance string) string { return wire.ControlChannelPath + url.PathEscape(instance) }

func createInput() any {
	return wire.CreateChannelInput{MessageSchemaVersion: wire.ChannelSchema, RequestId: host.NewUUID()}
}

// platform is how the first message of a channel names the system.
func platform() string {
	if runtime.GOOS == "darwin" {
		return "macos"
	}
	return runtime.GOOS
}

// channel is the ssmmessages lane (docs/protocol/runcommand.md, "Run Command over MGS (control channel)").
type channel struct {
	Options
	socket   *socket.Socket
	commands *line
	cancels  *line
	heard    chan struct{} // kept replies are worth another pass

	passing sync.Mutex // one pass over the kept replies at a time

	mu      sync.Mutex
	silent  bool                     // the last reply was not acknowledged
	awaited map[string]chan struct{} // id of a reply → closed by its acknowledgement
	late    map[string]bool          // ids of replies that were acknowledged when no caller waited any more
	opening gates
	tried   map[string]int // id of a kept reply → how often this agent sent it
}

func newChannel(o Options, service cloud.Service) *channel {
	l := &channel{Options: o, commands: newLine(), cancels: newLine(), heard: make(chan struct{}, 1), awaited: map[string]chan struct{}{},
		late: map[string]bool{}, tried: map[string]int{}}
	l.socket = socket.New(socket.Options{Client: o.Dial(service), Path: wire.ControlChannelPath + o.InstanceID,
		Query:  wire.ControlChannelQuery,
		Create: createInput, Open: l.first, Receive: l.receive, Changed: l.changed, Alive: func() { o.Contact(SSMMessages, nil) }, Log: o.Log,
		Pause: o.ChannelPause})
	return l
}

// Name is the lane's name in state files.
func (l *channel) Name() string { return SSMMessages }

// Open tells whether the channel is open.
func (l *channel) Open() bool { return l.handover.isOpen() }

// Room: a command that had no place was refused, and the service sends it again.
func (l *channel) Room() {}

// Run receives until the context ends.
func (l *channel) Run(ctx context.Context, accept Accept) {
	var loops sync.WaitGroup
	for _, line := range []*line{l.commands, l.cancels} {
		loops.Go(func() {
			for m, ok := line.next(ctx); ok; m, ok = line.next(ctx) {
				l.offer(ctx, m, accept)
			}
		})
	}
	loops.Go(func() { l.resendLoop(ctx) })
	if !l.NoChannel {
		l.socket.Run(ctx)
	}
	loops.Wait()
}

// first is the first message of a channel.
func (l *channel) first(token string) []byte {
	text, _ := json.Marshal(wire.OpenControlChannel{MessageSchemaVersion: wire.ChannelSchema, RequestId: host.NewUUID(), TokenValue: token,
		AgentVersion: stamp.Version(), PlatformType: platform()})
	return text
}

// changed takes what became of the channel.
func (l *channel) changed(open bool, err error) {
	l.handover.channel(open, cloud.Code(err) == "AccessDeniedException")
	l.Contact(SSMMessages, err)
	if open {
		l.mu.Lock()
		l.silent = false
		l.mu.Unlock()
		signal(l.heard)
	}
}

// receive takes one message of the channel. It does not wait for anything.
func (l *channel) receive(b []byte) {
	f, err := wire.ParseFrame(b)
	if err != nil {
		l.Log.Warn("what came over the channel is left alone", "error", err)
		return
	}
	switch f.Type {
	case wire.FrameJob:
		l.job(f)
	case wire.FrameReplyAck:
		var ack wire.AgentJobReplyAck
		if json.Unmarshal(f.Payload, &ack) == nil {
			l.acknowledged(ack.Acknowledged)
		}
	default:
		l.Log.Debug("a frame of another type is left alone", "type", f.Type)
	}
}

// job puts a job in line: cancels wait for no command.
func (l *channel) job(f wire.Frame) {
	var job wire.AgentJob
	if err := json.Unmarshal(f.Payload, &job); err != nil {
		l.Log.Error("a job cannot be read", "error", err)
	}
	m := received{frame: f.ID, created: wire.ISOMillis(f.Created), Message: Message{ID: job.JobId, Topic: job.Topic,
		Destination: l.InstanceID, Payload: job.Content, Lane: SSMMessages,
		Created: time.Unix(f.Created.UnixMilli(), 0).UTC().String()}} // as the original's state files have it
	if strings.HasPrefix(job.Topic, wire.TopicCancelCommand) {
		l.cancels.add(m)
		return
	}
	l.commands.add(m)
}

// offer offers a message to the queue and tells the service, as docs/protocol/runcommand.md, "Handling one agent_job", says.
func (l *channel) offer(ctx context.Context, m received, accept Accept) {
	opened := l.opening.open(m.ID)
	defer opened()
	err := l.offered(ctx, m, accept)
	var rejected *Rejected
	var unkept *Unkept
	switch {
	case err == nil:
		_ = l.ack(ctx, m, wire.JobAccepted) // not sent: it comes again, and is a duplicate
		l.begun(ctx, m)
	case errors.As(err, &unkept):
		taken := l.ack(ctx, m, wire.JobAccepted) == nil
		l.begun(ctx, m)
		opened()
		unkept.Begin(taken)
	case errors.As(err, &rejected):
		l.reject(ctx, m, rejected.Trace)
	case errors.Is(err, ErrUnreadable):
		l.reject(ctx, m, err.Error())
	case errors.Is(err, ErrDuplicate):
		_ = l.ack(ctx, m, wire.JobDuplicate)
	case errors.Is(err, ErrFull):
		_ = l.ack(ctx, m, wire.JobFull)
	case errors.Is(err, ErrClosed):
		_ = l.ack(ctx, m, wire.JobClosed)
	case errors.Is(err, journal.ErrName):
		_ = l.ack(ctx, m, wire.JobInvalid)
	default:
		l.Log.Warn("message dropped, the service will deliver it again", "messageID", m.ID, "error", err)
	}
}

// offered is what the queue says of a message, or what is wrong with it before that.
func (l *channel) offered(ctx context.Context, m received, accept Accept) error {
	switch {
	case m.ID == "" && m.Topic == "" && m.Payload == "":
		return &Rejected{Trace: "the job cannot be read"}
	case m.ID == "":
		return journal.ErrName
	case !strings.HasPrefix(m.Topic, wire.TopicSendCommand) && !strings.HasPrefix(m.Topic, wire.TopicCancelCommand):
		return &Rejected{Trace: "unknown topic " + m.Topic}
	}
	return l.handover.offer(ctx, m.Message, accept, l.Guard)
}

// begun sends the InProgress of a message. It is lost with the connection: the next reply says the same.
func (l *channel) begun(ctx context.Context, m received) {
	r := Answer{MessageID: m.ID, ID: ReplyID(m.ID, seqInProgress), Body: wire.Reply{AdditionalInfo: l.Head(), DocumentStatus: wire.InProgress}}
	topic := wire.TopicSendCommand
	if strings.HasPrefix(m.Topic, wire.TopicCancelCommand) {
		topic = wire.TopicCancelCommand
	}
	content, err := json.Marshal(r.Body)
	if err == nil {
		err = l.write(ctx, wire.FrameReply, r.ID, wire.AgentJobReply{SchemaVersion: 1, JobID: m.ID, Content: string(content), Topic: topic})
	}
	if err != nil {
		l.Log.Debug("InProgress not sent", "messageID", m.ID, "error", err)
	}
}

// reject tells that a message cannot be read, and then why. (The original keeps the reason to itself.)
func (l *channel) reject(ctx context.Context, m received, trace string) {
	l.Log.Error("command rejected", "messageID", m.ID, "error", trace)
	_ = l.ack(ctx, m, wire.JobUnreadable)
	if m.ID == "" {
		return
	}
	body := wire.Reply{AdditionalInfo: l.Head(), DocumentStatus: wire.Failed, DocumentTraceOutput: trace}
	if err := l.deliver(ctx, Answer{MessageID: m.ID, ID: ReplyID(m.ID, seqRejected), Body: body}); err != nil && ctx.Err() == nil {
		l.Log.Error("reply lost", "messageID", m.ID, "error", err)
	}
}

// ack acknowledges a job.
func (l *channel) ack(ctx context.Context, m received, s wire.JobStatus) error {
	err := l.write(ctx, wire.FrameJobAck, host.NewUUID(), wire.AgentJobAck{JobID: m.ID, Acknowledged: m.frame, CreatedDate: m.created,
		StatusCode: s.Code, ErrorMessage: s.Message})
	if err != nil && ctx.Err() == nil {
		l.Log.Warn("message not acknowledged", "messageID", m.ID, "error", err)
	}
	return err
}

// write sends one frame.
func (l *channel) write(ctx context.Context, kind, id string, payload any) error {
	body, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	b, err := wire.NewFrame(kind, id, l.Now(), body).Bytes()
	if err != nil {
		return err
	}
	return l.socket.Send(ctx, b)
}
