package mailbox

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/watchdog"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Message is a job to be, as a lane received it.
type Message struct {
	ID          string // message id, aws.ssm.<command id>.<instance id>
	Topic       string // begins with wire.TopicSendCommand or wire.TopicCancelCommand
	Destination string // instance id
	Created     string // as sent, ISO ms
	Payload     string // JSON text
	Lane        string // EC2Messages or SSMMessages
}

// Accept takes one message. nil: it is on disk and will be done, or the cancel is under way.
type Accept func(context.Context, Message) error

// What an [Accept] may answer besides nil.
var (
	ErrDuplicate  = errors.New("already received")
	ErrFull       = errors.New("no place for another command")
	ErrClosed     = errors.New("takes no commands any more")
	ErrUnreadable = errors.New("cannot be read") // a cancel whose payload is no JSON
)

// ErrGone says that the service does not know a message, or takes no reply to it: another try changes nothing.
var ErrGone = errors.New("the service does not know the message")

// Rejected is a command whose payload, document or parameters are wrong; the text is shown by the service.
type Rejected struct{ Trace string }

func (r *Rejected) Error() string { return r.Trace }

// Unkept is what an [Accept] answers for a command that no disk took and that runs all the same, once: the lane acknowledges it first,
// and then calls Begin with whether the service took that. Nothing else keeps such a command from coming, and running, again.
type Unkept struct{ Begin func(acknowledged bool) }

func (*Unkept) Error() string { return "not on disk, to be acknowledged before it runs" }

// Answer is one reply about a message. Two sendings of the same answer carry the same ID.
type Answer struct {
	MessageID string
	ID        string // reply id, a UUID; see [ReplyID]
	Body      wire.Reply
}

// Lane is one way for messages in and answers out.
type Lane interface {
	// Name is the lane's name in state files, see [Kind].
	Name() string
	// Open tells whether messages can come by it now.
	Open() bool
	// Run receives until the context ends, and returns then.
	Run(ctx context.Context, accept Accept)
	// Reply sends, or keeps what cannot be sent; nil means that one of the two is done. An error is the context's, or
	// says that it could not even be kept.
	Reply(ctx context.Context, r Answer) error
	// Room tells that a command ended, so that one that waits may be tried again.
	Room()
}

// Options are what lanes need of the rest of the agent. All funcs may be nil but Dial and Head.
type Options struct {
	InstanceID string
	Directory  string                                     // <data>/<short instance id>
	Dial       func(cloud.Service) *cloud.Client          // a client on new connections, one request limited as configured
	Head       func() wire.AdditionalInfo                 // begins every reply: agent and time
	Connected  func() bool                                // the ssmmessages channel is open; nil: as the lanes say
	Contact    func(lane string, err error)               // after every call: nil, or what went wrong
	Guard      *watchdog.Guard                            // of the loop that handles messages; nil: none
	Log        *slog.Logger                               //
	Now        func() time.Time                           //
	Pause      func(context.Context, time.Duration) error // nil: host.Sleep

	Channel      bool                                       // the control channel of ssmmessages is opened, too
	NoChannel    bool                                       // no tries to open it: the settings name no address for it
	ChannelPause func(context.Context, time.Duration) error // between tries to open it; nil: host.Sleep

	handover *handover // between the lanes that are opened together
}

func (o *Options) complete() {
	if o.Contact == nil {
		o.Contact = func(string, error) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Pause == nil {
		o.Pause = host.Sleep
	}
}
