package agent

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

const someNode = "mi-0123456789abcdef0"

// quietDesk is a desk whose commands are handed to work.
func quietDesk(t *testing.T, work func(*command)) *desk {
	t.Helper()
	j, err := journal.Open(t.TempDir(), someNode, "orchestration")
	if err != nil {
		t.Fatal(err)
	}
	return &desk{journal: j, workers: 1, buffer: 1, now: time.Now, log: slog.New(slog.DiscardHandler), ctx: t.Context(), open: map[string]*command{},
		parse: func(m mailbox.Message) (*journal.Job, error) { return someJob(m.ID), nil },
		work:  func(_ context.Context, c *command) { work(c) },
		ahead: func(string) *headStart { return nil }}
}

func someJob(messageID string) *journal.Job {
	job := &journal.Job{DocumentType: journal.SendCommand}
	id := wire.CommandID(messageID)
	job.DocumentInformation = journal.Information{DocumentID: id, CommandID: id, MessageID: messageID, CreatedDate: wire.ISOMillis(time.Now())}
	return job
}

// A cancel that comes when its command has just been answered leaves no job behind, which a later agent would run again.
func TestCancelOfAnAnsweredCommand(t *testing.T) {
	d := quietDesk(t, nil)
	b := &bench{journal: d.journal, desk: d, log: d.log, finished: func(string, string) {}}
	c := &command{Job: someJob(wire.MessageID("2b196342-d7d4-436e-8f09-3883a1116ac3", someNode))}
	if err := errors.Join(d.journal.Accept(c.Job), d.journal.Begin(c.Job)); err != nil {
		t.Fatal(err)
	}
	d.open[c.id()] = c
	b.done(c, wire.Success)
	if err := d.cancel(c.id()); err != nil {
		t.Fatal(err)
	}
	left, err := d.journal.Load(15, time.Now())
	if err != nil || len(left.Current)+len(left.Pending) != 0 {
		t.Errorf("%+v, %v", left, err)
	}
}

// A cancel that overtakes its command, where the answer to a poll was lost, reaches it all the same.
func TestCancelBeforeItsCommand(t *testing.T) {
	cancelled := make(chan bool, 2)
	d := quietDesk(t, func(c *command) { cancelled <- c.isCancelled() })
	say := func(topic, command, payload string) {
		t.Helper()
		if err := d.Accept(t.Context(), mailbox.Message{Topic: topic, ID: wire.MessageID(command, someNode), Payload: payload}); err != nil {
			t.Fatal(err)
		}
	}
	const first, second, third = "2b196342-d7d4-436e-8f09-3883a1116ac3", "3b196342-d7d4-436e-8f09-3883a1116ac3", "4b196342-d7d4-436e-8f09-3883a1116ac3"
	say(wire.TopicCancelCommand, first, `{"CancelMessageId":"`+wire.MessageID(second, someNode)+`"}`)
	say(wire.TopicSendCommand, second, "{}")
	if !<-cancelled {
		t.Error("it runs")
	}
	say(wire.TopicSendCommand, third, "{}")
	if <-cancelled {
		t.Error("another one is cancelled")
	}
	d.busy.Wait()
}

// A clock that was set back by a year lets nobody wait a year for a reboot.
func TestRebootAndTheClock(t *testing.T) {
	r := &rebooter{boot: "b", patience: 10 * time.Millisecond, now: time.Now}
	c := &command{Job: &journal.Job{}}
	c.SsmSetup.RebootFrom, c.SsmSetup.RebootAsked = "b", time.Now().AddDate(1, 0, 0)
	ctx, end := context.WithTimeout(t.Context(), patienceInside)
	defer end()
	if r.wait(ctx, c) || ctx.Err() != nil {
		t.Error("it waits for the clock")
	}
}

const patienceInside = 20 * time.Second

// A parameter store that takes its time does not let the agent seem stuck.
func TestSlowStoreIsNoStuckLoop(t *testing.T) {
	p := newPace()
	busy := p.loop("mailbox")
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.start = p.start.Add(-stuckAfter - time.Second) // as if that time had gone by
		if what, stuck := p.stuck(); stuck {
			t.Error(what)
		}
		io.WriteString(w, `{"Parameters":[{"Name":"a","Type":"String","Value":"x","Version":1}]}`)
	}))
	defer service.Close()
	ssm := cloud.New(cloud.Options{Endpoint: service.URL, Region: "local", Service: "ssm", Target: wire.TargetSSM})
	busy(true)
	if got, err := resolver(t.Context(), ssm, busy)([]string{"a"}); err != nil || len(got) != 1 {
		t.Error(got, err)
	}
	p.start = p.start.Add(-stuckAfter - time.Second)
	if _, stuck := p.stuck(); !stuck {
		t.Error("afterwards it owes progress again")
	}
}
