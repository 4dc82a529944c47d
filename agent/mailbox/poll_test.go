package mailbox_test

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// briefly is the limit of requests where the client is to give a poll up.
const briefly = 2 * time.Second

func TestWhatAPollAsksFor(t *testing.T) {
	s := newService(t, answer{}, answer{})
	s.run(s.open(), yes)
	asked := s.polled(2)
	id := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	for _, in := range asked {
		if in.Destination != node || in.VisibilityTimeoutInSeconds != 10 || !id.MatchString(in.MessagesRequestId) {
			t.Errorf("%+v", in)
		}
	}
	if asked[0].MessagesRequestId == asked[1].MessagesRequestId {
		t.Error("the same request id twice")
	}
}

func TestPausesBetweenPolls(t *testing.T) {
	quick, one := answer{took: 10 * time.Millisecond}, answer{messages: []wire.Message{message(send, first, "{}")}}
	s := newService(t, quick, quick, quick, quick, quick, quick, quick, one, quick, answer{took: 5 * time.Second}, quick)
	l := s.open()
	s.run(l, yes)
	s.polled(12)
	ms := func(n ...int) (d []time.Duration) {
		for _, v := range n {
			d = append(d, time.Duration(v)*time.Millisecond)
		}
		return d
	}
	if got, want := l.paused(), ms(100, 200, 400, 800, 1600, 2000, 2000, 100, 100); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestAPollWithoutAnAnswerIsNoError(t *testing.T) {
	hang := answer{hang: true, took: 20 * time.Second}
	late := answer{status: http.StatusBadRequest, took: 12 * time.Second}
	s := newService(t, slices.Repeat([]answer{late}, 12)...)
	s.polls = append(s.polls, hang, hang)
	s.limit = briefly
	l := s.open()
	s.run(l, yes)
	s.polled(15)
	if len(l.paused()) != 0 || l.dials != 1 {
		t.Errorf("pauses %v, %d clients", l.paused(), l.dials)
	}
}

func TestTenErrorsMakeANewClient(t *testing.T) {
	s := newService(t, slices.Repeat([]answer{{status: http.StatusBadRequest}}, 21)...)
	l := s.open()
	s.run(l, yes)
	s.polled(22)
	if l.dials != 3 {
		t.Errorf("%d clients after 21 errors", l.dials)
	}
	for i, p := range l.paused() {
		if p < 500*time.Millisecond || p > 5*time.Second {
			t.Errorf("pause %d is %v", i, p)
		}
	}
}

func TestMessagesOfOnePollAreHandledInOrder(t *testing.T) {
	s := newService(
		t,
		answer{messages: []wire.Message{message(cancel, first, "{}"), message(send, second, "{}"), message(cancel, third, "{}")}},
	)
	got := make(chan string, 3)
	s.run(s.open(), func(_ context.Context, m mailbox.Message) error { got <- wire.CommandID(m.ID); return nil })
	for _, want := range []string{first, second, third} {
		if id := <-got; id != want {
			t.Errorf("%s, want %s", id, want)
		}
	}
}

func TestMessagesThatLackAMemberAreLeftAlone(t *testing.T) {
	lacking := slices.Repeat([]wire.Message{message(send, first, "{}")}, 4)
	lacking[0].Topic, lacking[1].Destination, lacking[2].MessageId, lacking[3].CreatedDate = "", "", "", ""
	s := newService(t, answer{}, answer{messages: lacking})
	s.run(s.open(), func(context.Context, mailbox.Message) error { t.Error("submitted"); return nil })
	s.polled(3)
	if calls := s.wait(0); len(calls) != 0 {
		t.Errorf("%+v", calls)
	}
}

// A stop in the middle of a poll ends it: the service would hold it for ever.
func TestAStopEndsAPoll(t *testing.T) {
	s := newService(t)
	stop := s.run(s.open(), yes)
	s.polled(1)
	stop()
}
