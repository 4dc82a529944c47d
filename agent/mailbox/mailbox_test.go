package mailbox_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

const node = "mi-0123456789abcdef0"

// service is ec2messages as a script: what each poll brings, and what happened.
type service struct {
	t    *testing.T
	http *httptest.Server

	mu     sync.Mutex
	polls  []answer // one per poll; then polls hang until there are more, or the client goes
	more   chan struct{}
	calls  []call // all but polls, in order
	asked  []wire.GetMessagesInput
	broken map[string]int // operation → status to answer
	now    time.Time
	limit  time.Duration // of one request; a poll that hangs is given up after it
	change chan struct{}
}

// patience bounds every wait: of requests, too, so that no busy machine makes one fail.
const patience = 2 * time.Minute

// answer is what a poll brings.
type answer struct {
	messages []wire.Message
	status   int           // not 200: an error
	took     time.Duration // by the clock of the test
	hang     bool          // until the client gives up
}

type call struct {
	operation string
	message   string // message id
	status    string // SendReply: documentStatus
	trace     string
	reply     string // reply id
	able      *bool
	body      string
}

func newService(t *testing.T, polls ...answer) *service {
	s := &service{
		t:      t,
		polls:  polls,
		broken: map[string]int{},
		limit:  patience,
		more:   make(chan struct{}),
		now:    time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		change: make(chan struct{}),
	}
	s.http = httptest.NewServer(s)
	t.Cleanup(s.http.Close)
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, wire.ControlChannelPath) {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, "<AccessDeniedException><Message>no channels here</Message></AccessDeniedException>")
		return
	}
	body, _ := io.ReadAll(r.Body)
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), wire.TargetEC2Messages+".")
	if operation == "GetMessages" {
		s.poll(w, r, body)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, read(operation, body))
	close(s.change)
	s.change = make(chan struct{})
	if status := s.broken[operation]; status != 0 {
		w.WriteHeader(status)
		io.WriteString(w, `{"__type":"Broken"}`)
		return
	}
	io.WriteString(w, `{}`)
}

func read(operation string, body []byte) call {
	var in struct{ MessageId, ReplyId, Payload, FailureType string }
	json.Unmarshal(body, &in)
	c := call{operation: operation, message: in.MessageId, reply: in.ReplyId, body: string(body)}
	if operation == "FailMessage" {
		c.status = in.FailureType
	}
	var reply wire.Reply
	if json.Unmarshal([]byte(in.Payload), &reply) == nil {
		c.status, c.trace, c.able = reply.DocumentStatus, reply.DocumentTraceOutput, reply.AdditionalInfo.AbleToOpenMGSConnection
	}
	return c
}

func (s *service) poll(w http.ResponseWriter, r *http.Request, body []byte) {
	s.mu.Lock()
	var in wire.GetMessagesInput
	json.Unmarshal(body, &in)
	s.asked = append(s.asked, in)
	s.mu.Unlock()
	a := s.next(r.Context())
	switch {
	case a.hang:
		<-r.Context().Done()
	case a.status != 0:
		w.WriteHeader(a.status)
		io.WriteString(w, `{"__type":"Broken"}`)
	default:
		json.NewEncoder(w).Encode(wire.GetMessagesOutput{Destination: node, Messages: a.messages, MessagesRequestId: in.MessagesRequestId})
	}
}

// next is what the next poll brings.
func (s *service) next(ctx context.Context) answer {
	for {
		s.mu.Lock()
		more := s.more
		if len(s.polls) > 0 {
			a := s.polls[0]
			s.polls, s.now = s.polls[1:], s.now.Add(a.took)
			s.mu.Unlock()
			return a
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return answer{hang: true}
		case <-more:
		}
	}
}

// brings has further polls bring something.
func (s *service) brings(polls ...answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.polls = append(s.polls, polls...)
	close(s.more)
	s.more = make(chan struct{})
}

func (s *service) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *service) breaks(operation string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken[operation] = status
}

// wait returns the first n calls, once they are there.
func (s *service) wait(n int) []call {
	s.t.Helper()
	limit := time.After(patience)
	for {
		s.mu.Lock()
		calls, change := append([]call(nil), s.calls...), s.change
		s.mu.Unlock()
		if len(calls) >= n {
			return calls
		}
		select {
		case <-change:
		case <-limit:
			s.t.Fatalf("waited for %d calls, got %+v", n, calls)
		}
	}
}

// lane is an ec2messages lane of the service and what it did besides.
type lane struct {
	mailbox.Lane
	channel mailbox.Lane // of the same host, denied
	dir     string
	dials   int
	mu      sync.Mutex
	pauses  []time.Duration
}

func (l *lane) paused() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]time.Duration(nil), l.pauses...)
}

// open makes the lane. change may set options.
func (s *service) open(change ...func(*mailbox.Options)) *lane {
	l := &lane{dir: s.t.TempDir()}
	o := mailbox.Options{Channel: true, InstanceID: node, Directory: l.dir, Now: s.clock,
		Head: func() wire.AdditionalInfo { return wire.AdditionalInfo{DateTime: wire.ISOMillis(s.clock())} },
		Dial: func(of cloud.Service) *cloud.Client {
			if of.Name == "ec2messages" {
				l.dials++
			}
			return cloud.New(cloud.Options{Endpoint: s.http.URL, Service: "ec2messages", Target: wire.TargetEC2Messages, Region: "local",
				Retries: -1, Timeout: s.limit})
		},
		Pause: func(ctx context.Context, d time.Duration) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.pauses = append(l.pauses, d)
			return ctx.Err()
		},
	}
	for _, c := range change {
		c(&o)
	}
	lanes := mailbox.Lanes(o)
	l.Lane, l.channel = mailbox.Find(lanes, mailbox.EC2Messages), mailbox.Find(lanes, mailbox.SSMMessages)
	return l
}

// run lets the lane receive until the test ends.
func (s *service) run(l *lane, accept mailbox.Accept) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { l.Run(ctx, accept); close(done) }()
	stop = func() { cancel(); <-done }
	s.t.Cleanup(stop)
	return stop
}

// polled waits until the service was asked n times.
func (s *service) polled(n int) []wire.GetMessagesInput {
	s.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		asked := append([]wire.GetMessagesInput(nil), s.asked...)
		s.mu.Unlock()
		if len(asked) >= n {
			return asked
		}
		if time.Now().After(end) {
			s.t.Fatalf("%d polls instead of %d", len(asked), n)
		}
	}
}

func message(topic, command, payload string) wire.Message {
	return wire.Message{Topic: topic, MessageId: wire.MessageID(command, node), Destination: node,
		CreatedDate: "2026-03-04T05:06:07.000Z", Payload: payload}
}

const (
	send   = wire.TopicSendCommand
	cancel = wire.TopicCancelCommand
	first  = "2b196342-d7d4-436e-8f09-3883a1116ac3"
	second = "3b196342-d7d4-436e-8f09-3883a1116ac3"
	third  = "4b196342-d7d4-436e-8f09-3883a1116ac3"
)

func yes(context.Context, mailbox.Message) error { return nil }

func says(err error) mailbox.Accept {
	return func(context.Context, mailbox.Message) error { return err }
}
