// Package ssmmessages is the service ssmmessages of a local region: control channels, by which nodes are sent their commands and answer
// them. Data channels come with sessions; until they are there, a request for one is denied.
//
// A node asks for a token (CreateControlChannel), upgrades a request to a WebSocket and says in its first message who it is and which
// token it has. From then on the letters of its mailbox go to it as agent_job, at most 25 that it has not acknowledged; one that it does
// not acknowledge within 10 s comes again. Its agent_job_reply are taken once by the id of their frame and acknowledged every time.
// Of several open channels of a node the newest brings its messages; without one they wait for polls of ec2messages.
//
//	ssmmessages.go  requests: tokens, the upgrade, refusals
//	channel.go      one open channel: what is sent, what comes back
//	disturb.go      faults on purpose
//
// It owns no records: letters are the mailbox's, replies the commands'; tokens and channels are in memory and end with the region.
// Facts: docs/protocol/session.md, "Endpoints, REST calls, websockets", "agent_job family (framing only)"; docs/protocol/runcommand.md,
// "Run Command over MGS (control channel)".
package ssmmessages

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/regions/ground"
	"github.com/ssm-setup/ssm-setup/regions/local/mailbox"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/commands"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/nodes"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Options are what the service works on.
type Options struct {
	Gate     *protocol.Gate
	Records  *records.Store
	Mail     *mailbox.Mailbox
	Commands *commands.Tracker
	Frame    func(Seen) // told of every frame
	Log      *slog.Logger
}

// Seen is one frame of a channel, for the record of calls.
type Seen struct {
	Kind    string // agent_job, …
	Node    string
	Payload []byte
}

// tokenLife is how long a token is good for.
const tokenLife = 5 * time.Minute

// Channels is the service ssmmessages.
type Channels struct {
	o Options

	mu      sync.Mutex
	tokens  map[string]token
	open    map[string][]*channel // node → its channels, the newest last
	denied  bool
	disturb func(toNode bool, kind string) Disturbance
}

type token struct {
	node    string
	expires time.Time
}

// New makes the service of a region.
func New(o Options) *Channels {
	return &Channels{o: o, tokens: map[string]token{}, open: map[string][]*channel{}}
}

const dataChannelPath = "/v1/data-channel/"

// Service is the row of ssmmessages in the dispatch table. No bucket can have its paths: names of buckets have three characters
// or more.
func (s *Channels) Service() protocol.Service {
	row := func(name string, serve func(*protocol.Answer) error) (protocol.Handler, bool) {
		return protocol.Handler{Operation: name, Serve: serve, Fail: s.fail}, true
	}
	operations := []string{"CreateControlChannel", "OpenControlChannel"}
	return protocol.Service{Name: "ssmmessages", Operations: operations, Claim: func(a *protocol.Answer) (protocol.Handler, bool) {
		switch path := a.Request.URL.Path; {
		case strings.HasPrefix(path, dataChannelPath):
			return row("CreateDataChannel", deny)
		case !strings.HasPrefix(path, wire.ControlChannelPath):
			return protocol.Handler{}, false
		case a.Request.Method == http.MethodGet:
			return row("OpenControlChannel", s.openChannel)
		}
		return row("CreateControlChannel", s.create)
	}}
}

func deny(*protocol.Answer) error {
	return protocol.Fail(http.StatusForbidden, "AccessDeniedException", "this region has no data channels")
}

// Deny refuses every further channel, in the words by which a node knows that it has to poll ec2messages, or ends that.
func (s *Channels) Deny(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied = on
}

// own finds out whose channel is asked for: a node reaches its own only.
func (s *Channels) own(a *protocol.Answer) (node string, err error) {
	who, err := s.o.Gate.Authenticate(a.Request, "ssmmessages", ground.SHA256(a.Body))
	if err != nil {
		return "", err
	}
	a.Who = who.Name()
	node, err = url.PathUnescape(strings.TrimPrefix(a.Request.URL.EscapedPath(), wire.ControlChannelPath))
	s.mu.Lock()
	denied := s.denied
	s.mu.Unlock()
	switch {
	case denied:
		return "", protocol.Deny("this region has no channels: messages are to be polled")
	case err != nil || !protocol.Node(who.Caller) || who.InstanceID != node:
		return "", protocol.Deny(who.Name() + " may not use the control channel of " + node)
	}
	return node, s.o.Records.View(func(tx *records.Tx) error {
		_, err := nodes.Present(tx, node)
		return err
	})
}

// create gives out a token.
func (s *Channels) create(a *protocol.Answer) error {
	body, err := io.ReadAll(io.LimitReader(a.Request.Body, 64<<10))
	if err != nil {
		return protocol.Refuse("SerializationException", "read body: %v", err)
	}
	a.Body = body
	node, err := s.own(a)
	if err != nil {
		return err
	}
	var in wire.CreateChannelInput
	if err := json.Unmarshal(body, &in); err != nil || in.MessageSchemaVersion != wire.ChannelSchema || !protocol.IsUUID(in.RequestId) {
		return protocol.Refuse("ValidationException", "MessageSchemaVersion must be %s and RequestId a UUID", wire.ChannelSchema)
	}
	t := uuid.NewString()
	now := s.o.Gate.Now()
	s.mu.Lock()
	for value, old := range s.tokens {
		if now.After(old.expires) {
			delete(s.tokens, value)
		}
	}
	s.tokens[t] = token{node, now.Add(tokenLife)}
	s.mu.Unlock()
	text, err := xml.Marshal(struct {
		XMLName              xml.Name `xml:"CreateControlChannelResponse"`
		MessageSchemaVersion string
		TokenValue           string
	}{MessageSchemaVersion: wire.ChannelSchema, TokenValue: t})
	if err != nil {
		return err
	}
	a.WriteText(http.StatusCreated, "text/xml", string(text))
	return nil
}

// take uses a token up.
func (s *Channels) take(value, node string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[value]
	delete(s.tokens, value)
	return ok && t.node == node && !s.o.Gate.Now().After(t.expires)
}

// ExpireTokens makes every token that was given out worthless.
func (s *Channels) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// fail writes an error as the service does: the code is the root element, and an agent looks for it.
func (s *Channels) fail(a *protocol.Answer, err error) {
	f := s.o.Gate.Fault(a, err, refusal)
	a.Header().Set("x-amzn-ErrorType", f.Code)
	var message strings.Builder
	if err := xml.EscapeText(&message, []byte(f.Message)); err != nil {
		message.Reset()
	}
	a.WriteText(f.HTTPStatus(), "text/xml", "<"+f.Code+"><Message>"+message.String()+"</Message></"+f.Code+">")
}

// refusal is the code of a refused signature.
func refusal(why protocol.Reason) (code string, status int) {
	switch why {
	case protocol.Expired:
		return "ExpiredTokenException", http.StatusForbidden
	case protocol.UnknownKey, protocol.BadToken, protocol.UnknownNode:
		return "UnrecognizedClientException", http.StatusForbidden
	case protocol.BadSignature, protocol.Skewed, protocol.Outdated, protocol.WrongRegion, protocol.WrongService, protocol.NotSigned:
		return "InvalidSignatureException", http.StatusForbidden
	case protocol.Missing, protocol.Malformed, protocol.Denied:
	}
	return "AccessDeniedException", http.StatusForbidden
}

// errGone ends the loops of a channel.
var errGone = errors.New("the channel is gone")
