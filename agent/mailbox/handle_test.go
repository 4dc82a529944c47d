package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// what tells the calls apart in a test's words.
func what(calls []call) (words []string) {
	for _, c := range calls {
		words = append(words, strings.TrimSuffix(c.operation+" "+c.status, " "))
	}
	return words
}

// docs/protocol/runcommand.md, "Handling one MDS message": what each answer of the queue makes of a message.
func TestWhatTheServiceIsToldOfAMessage(t *testing.T) {
	rows := []struct {
		name  string
		topic string
		says  error
		want  []string
	}{
		{"accepted", send + ".x", nil, []string{"SendReply InProgress", "AcknowledgeMessage"}},
		{"cancel accepted", cancel, nil, []string{"SendReply InProgress", "AcknowledgeMessage"}},
		{"duplicate", send, mailbox.ErrDuplicate, []string{"SendReply InProgress", "AcknowledgeMessage"}},
		{"unknown topic", "invalid", nil, []string{"FailMessage InternalHandlerException"}},
		{"bad document", send, &mailbox.Rejected{Trace: "Unsupported schema format"}, []string{"SendReply Failed"}},
		{"bad cancel", cancel, fmt.Errorf("%w: x", mailbox.ErrUnreadable), []string{"FailMessage InternalHandlerException"}},
		{"stopping", send, mailbox.ErrClosed, nil},
		{"disk full", send, errors.New("no space left on device"), nil},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := newService(t, answer{messages: []wire.Message{message(r.topic, first, "{}")}})
			s.run(s.open(), says(r.says))
			s.polled(2)
			calls := s.wait(len(r.want))
			if !slices.Equal(what(calls), r.want) {
				t.Errorf("%v, want %v", what(calls), r.want)
			}
			for _, c := range calls {
				if c.message != wire.MessageID(first, node) || c.status == "Failed" && c.trace != "Unsupported schema format" {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}

// While commands wait for a place, nothing is polled, a cancel of the same poll gets through, and no command overtakes them.
func TestAFullQueueStopsPollingAndHoldsUpNoCancelOfThePoll(t *testing.T) {
	s := newService(t, answer{messages: []wire.Message{message(send, first, "{}"), message(send, second, "{}"),
		message(send, first, "{}"), message(cancel, third, "{}")}}, answer{})
	var full atomic.Bool
	full.Store(true)
	var order []string
	l := s.open()
	s.run(l, func(_ context.Context, m mailbox.Message) error {
		if m.Topic == send && full.Load() {
			return mailbox.ErrFull
		}
		order = append(order, wire.CommandID(m.ID))
		return nil
	})
	calls := s.wait(2)
	if n := len(s.polled(1)); n != 1 {
		t.Errorf("%d polls while commands wait", n)
	}
	if calls[1].operation != "AcknowledgeMessage" || calls[1].message != wire.MessageID(third, node) || len(s.wait(0)) != 2 {
		t.Fatalf("%+v", s.wait(0))
	}
	full.Store(false)
	l.Room()
	calls = s.wait(6)
	s.polled(3)
	if !slices.Equal(order, []string{third, first, second}) {
		t.Errorf("%v", order)
	}
	if calls[3].operation != "AcknowledgeMessage" || calls[3].message != wire.MessageID(first, node) {
		t.Errorf("%+v", calls)
	}
}

// A command that waits for a place can be cancelled: it is answered and never runs.
func TestAHeldCommandIsCancelled(t *testing.T) {
	payload := `{"CancelMessageId":"` + wire.MessageID(first, node) + `"}`
	s := newService(t, answer{messages: []wire.Message{message(send, first, "{}"), message(cancel, second, payload)}})
	l := s.open()
	s.run(l, func(_ context.Context, m mailbox.Message) error {
		if m.Topic == send {
			return mailbox.ErrFull
		}
		return nil
	})
	want := []string{"SendReply Cancelled", "AcknowledgeMessage", "SendReply InProgress", "AcknowledgeMessage"}
	calls := s.wait(4)
	if !slices.Equal(what(calls), want) || calls[0].message != wire.MessageID(first, node) {
		t.Errorf("%v", what(calls))
	}
	l.Room()
	s.polled(2)
	if len(s.wait(0)) != 4 {
		t.Errorf("%v", what(s.wait(0)))
	}
}

// It is on no disk: run before the service took the acknowledgement, it would be delivered, and run, again.
func TestACommandOnNoDiskBeginsAfterItsAcknowledgement(t *testing.T) {
	for _, taken := range []bool{true, false} {
		s := newService(t, answer{messages: []wire.Message{message(send, first, "{}")}})
		if !taken {
			s.broken = map[string]int{"AcknowledgeMessage": http.StatusBadRequest}
		}
		begun := make(chan bool, 1)
		before := make(chan int, 1)
		s.run(s.open(), func(context.Context, mailbox.Message) error {
			return &mailbox.Unkept{Begin: func(acknowledged bool) { before <- len(s.wait(0)); begun <- acknowledged }}
		})
		if n, got := <-before, <-begun; n != 2 || got != taken {
			t.Errorf("begun after %d calls, acknowledged: %v, want %v", n, got, taken)
		}
		if calls := s.wait(2); calls[1].operation != "AcknowledgeMessage" {
			t.Errorf("%v", what(calls))
		}
	}
}

// A later reply never overtakes the InProgress of its command.
func TestNoReplyOvertakesTheFirstInProgress(t *testing.T) {
	s := newService(t, answer{messages: []wire.Message{message(send, first, "{}")}})
	l := s.open()
	s.run(l, func(ctx context.Context, m mailbox.Message) error {
		go l.Reply(ctx, mailbox.Answer{MessageID: m.ID, ID: mailbox.ReplyID(m.ID, 1), Body: wire.Reply{DocumentStatus: wire.Success}})
		time.Sleep(20 * time.Millisecond)
		return nil
	})
	calls := s.wait(3)
	if calls[0].status != wire.InProgress {
		t.Errorf("%v", what(calls))
	}
}

func TestRepliesSayWhetherTheOtherChannelIsOpen(t *testing.T) {
	s := newService(t)
	var connected atomic.Bool
	l := s.open(func(o *mailbox.Options) { o.Connected = connected.Load })
	for i, want := range []bool{false, true, false} {
		connected.Store(want)
		if err := l.Reply(t.Context(), mailbox.Answer{MessageID: wire.MessageID(first, node), ID: mailbox.ReplyID("m", i)}); err != nil {
			t.Fatal(err)
		}
		if able := s.wait(i + 1)[i].able; able == nil || *able != want {
			t.Errorf("reply %d: %v, want %v", i, able, want)
		}
	}
}

func TestAReplyIDFollowsFromMessageAndNumber(t *testing.T) {
	a, b := mailbox.ReplyID("m", 1), mailbox.ReplyID("m", 2)
	if a == b || a != mailbox.ReplyID("m", 1) || len(a) != 36 || a[14] != '4' || mailbox.ReplyID("n", 1) == a {
		t.Error(a, b)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
