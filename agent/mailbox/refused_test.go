package mailbox_test

import (
	"bytes"
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

// between stands before a service: it refuses one reply for good, or answers everything but polls with a page of its own.
type between struct {
	*service
	no   string // reply id
	page bool

	mu    sync.Mutex
	calls []call // that did not reach the service
}

func (b *between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	c := read(operation, body)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case operation == "GetMessages":
	case b.page:
		b.calls = append(b.calls, c)
		io.WriteString(w, "<html>please log in</html>")
		return
	case b.no != "" && c.reply == b.no:
		b.calls = append(b.calls, c)
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"__type":"InvalidMessageIdException"}`)
		return
	}
	b.mu.Unlock()
	b.service.ServeHTTP(w, r)
	b.mu.Lock()
}

// stopped is how many calls did not reach the service.
func (b *between) stopped() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.calls)
}

func (b *between) openLane(t *testing.T) *lane {
	front := httptest.NewServer(b)
	t.Cleanup(front.Close)
	return b.open(func(o *mailbox.Options) {
		o.Dial = func(cloud.Service) *cloud.Client {
			return cloud.New(cloud.Options{Endpoint: front.URL, Service: "ec2messages", Target: wire.TargetEC2Messages, Region: "local",
				Retries: -1})
		}
	})
}

// A reply that the service does not want, for example about a command it has forgotten, holds up no other, and is not
// offered again with every poll.
func TestARefusedReplyHoldsUpNoOther(t *testing.T) {
	s := &between{service: newService(t, answer{}, answer{}, answer{}, answer{}), no: "a-reply"}
	l := s.openLane(t)
	kept(t, s.service, l, "a-reply", time.Hour)
	kept(t, s.service, l, "b-reply", time.Hour)
	stop := s.run(l, yes)
	if c := s.wait(1)[0]; c.reply != "b-reply" {
		t.Errorf("%+v", c)
	}
	s.polled(5)
	time.Sleep(50 * time.Millisecond) // for a pass too many
	stop()
	if names := folder(t, l.dir); len(names) != 1 || len(s.wait(0)) != 1 || s.stopped() != 1 {
		t.Errorf("%v after %v and %d others", names, what(s.wait(0)), s.stopped())
	}
}

func TestNoReplyWaitsBehindARefusedOne(t *testing.T) {
	s := &between{service: newService(t), no: mailbox.ReplyID("m", 1)}
	l := s.openLane(t)
	for n := 1; n <= 2; n++ {
		reply := mailbox.Answer{MessageID: wire.MessageID(first, node), ID: mailbox.ReplyID("m", n)}
		if err := l.Reply(t.Context(), reply); err != nil {
			t.Fatal(err)
		}
	}
	if got := folder(t, l.dir); len(got) != 1 || !strings.HasPrefix(got[0], s.no) {
		t.Errorf("kept: %v", got)
	}
}

// A page that something on the way answers with, status 200 and all, is no acceptance.
func TestAPageOfAProxyIsNoAnswer(t *testing.T) {
	s := &between{service: newService(t), page: true}
	l := s.openLane(t)
	if err := l.Reply(t.Context(), mailbox.Answer{MessageID: wire.MessageID(first, node), ID: mailbox.ReplyID("m", 1)}); err != nil {
		t.Fatal(err)
	}
	if got := folder(t, l.dir); len(got) != 1 {
		t.Errorf("kept: %v", got)
	}
}

// Replies about a command arrive in the order they were made: one that could not be sent is not overtaken by the next.
func TestAKeptReplyIsNotOvertaken(t *testing.T) {
	s := newService(t)
	s.breaks("SendReply", http.StatusBadRequest)
	l := s.open()
	m := wire.MessageID(first, node)
	early, late := mailbox.ReplyID(m, 1), mailbox.ReplyID(m, 2)
	for n := 3; early < late; n++ { // by name it would come first
		late = mailbox.ReplyID(m, n)
	}
	reply := func(id, status string) {
		t.Helper()
		if err := l.Reply(t.Context(), mailbox.Answer{MessageID: m, ID: id, Body: wire.Reply{DocumentStatus: status}}); err != nil {
			t.Fatal(err)
		}
	}
	reply(early, wire.InProgress)
	reply(late, wire.Success)
	if got := folder(t, l.dir); len(got) != 2 {
		t.Fatalf("kept: %v", got)
	}
	before := len(s.wait(0))
	s.breaks("SendReply", 0)
	reply(mailbox.ReplyID(m, 99), "last")
	calls := s.wait(before + 3)[before:]
	if calls[0].reply != early || calls[1].reply != late || calls[2].status != "last" {
		t.Errorf("%+v", calls)
	}
	if got := folder(t, l.dir); len(got) != 0 {
		t.Errorf("still kept: %v", got)
	}
}

// A message that is rejected again and again while replies cannot be sent leaves one reply, not one a time.
func TestARejectionIsKeptOnce(t *testing.T) {
	again := answer{messages: []wire.Message{message(send, first, "{}")}}
	s := newService(t, again, again, again)
	s.breaks("SendReply", http.StatusBadRequest)
	l := s.open()
	stop := s.run(l, says(&mailbox.Rejected{Trace: "no"}))
	s.polled(4)
	stop()
	if got := folder(t, l.dir); len(got) != 1 {
		t.Errorf("kept: %v", got)
	}
}
