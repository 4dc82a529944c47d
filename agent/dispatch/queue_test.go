package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

const someNode = "mi-0123456789abcdef0"

// newTestQueue is a queue whose commands are handed to run.
func newTestQueue(t *testing.T, run func(*command)) *queue {
	t.Helper()
	j, err := journal.Open(t.TempDir(), someNode, "orchestration", "")
	if err != nil {
		t.Fatal(err)
	}
	return newQueue(t.Context(), queueOptions{journal: j, workers: 1, places: 1, now: time.Now, log: slog.New(slog.DiscardHandler),
		parse: func(m mailbox.Message) (*journal.Job, error) { return someJob(m.ID), nil },
		run:   func(_ context.Context, c *command, _ func() func()) { run(c) }})
}

func someJob(messageID string) *journal.Job {
	job := &journal.Job{DocumentType: journal.SendCommand, InstancePluginsInformation: []journal.Plugin{{Name: "aws:runShellScript"}}}
	id := wire.CommandID(messageID)
	job.DocumentInformation = journal.Information{DocumentID: id, CommandID: id, MessageID: messageID, CreatedDate: wire.ISOMillis(time.Now())}
	return job
}

// A later agent would run such a job again.
func TestACancelOfAnAnsweredCommandLeavesNoJobBehind(t *testing.T) {
	q := newTestQueue(t, nil)
	x := &executor{journal: q.journal, log: q.log, finished: func(string, host.Name) {}}
	c := &command{Job: someJob(wire.MessageID("2b196342-d7d4-436e-8f09-3883a1116ac3", someNode))}
	if err := errors.Join(q.journal.Accept(c.Job), q.journal.Begin(c.Job)); err != nil {
		t.Fatal(err)
	}
	q.open[c.messageID()] = c
	x.done(c, wire.Success)
	if err := q.cancel(c.messageID()); err != nil {
		t.Fatal(err)
	}
	left, err := q.journal.Load(15, time.Now(), nil)
	if err != nil || len(left.Current)+len(left.Pending) != 0 {
		t.Errorf("%+v, %v", left, err)
	}
}

// It happens where the answer to a poll was lost.
func TestACancelThatOvertakesItsCommandReachesIt(t *testing.T) {
	cancelled := make(chan bool, 2)
	q := newTestQueue(t, func(c *command) { cancelled <- c.isCancelled() })
	say := func(topic, command, payload string) {
		t.Helper()
		if err := q.accept(t.Context(), mailbox.Message{Topic: topic, ID: wire.MessageID(command, someNode), Payload: payload}); err != nil {
			t.Fatal(err)
		}
	}
	const first, second, third = "2b196342-d7d4-436e-8f09-3883a1116ac3", "3b196342-d7d4-436e-8f09-3883a1116ac3",
		"4b196342-d7d4-436e-8f09-3883a1116ac3"
	say(wire.TopicCancelCommand, first, `{"CancelMessageId":"`+wire.MessageID(second, someNode)+`"}`)
	say(wire.TopicSendCommand, second, "{}")
	if !<-cancelled {
		t.Error("it runs")
	}
	say(wire.TopicSendCommand, third, "{}")
	if <-cancelled {
		t.Error("another one is cancelled")
	}
	q.busy.Wait()
}

// waiting gives a queue that has n commands waiting behind one that runs until the returned function is called.
func waiting(t *testing.T, n int, change func(*queue)) (q *queue, ran chan *command, goOn func()) {
	t.Helper()
	gate := make(chan struct{})
	ran = make(chan *command, n+1)
	q = newTestQueue(t, func(c *command) { <-gate; ran <- c })
	change(q)
	for i := range n + 1 {
		if err := q.accept(t.Context(), numbered(i)); err != nil {
			t.Fatal(err)
		}
	}
	return q, ran, func() { close(gate); q.busy.Wait() }
}

func numbered(i int) mailbox.Message {
	id := wire.MessageID(fmt.Sprintf("2b196342-d7d4-436e-8f09-%012d", i), someNode)
	return mailbox.Message{Topic: wire.TopicSendCommand, ID: id, Payload: strings.Repeat(" ", 100)}
}

// sizeOnDisk is how long the state file of someJob is.
func sizeOnDisk(t *testing.T) int {
	t.Helper()
	j, err := journal.Open(t.TempDir(), someNode, "orchestration", "")
	job := someJob(numbered(0).ID)
	if err = errors.Join(err, j.Accept(job)); err != nil {
		t.Fatal(err)
	}
	return job.Size()
}

func TestOneMoreThanCanWaitIsRefused(t *testing.T) {
	for what, change := range map[string]func(*queue){
		"places": func(q *queue) { q.places = 3 },
		"room":   func(q *queue) { q.places, q.room = 100, 3*sizeOnDisk(t)+50 },
	} {
		q, ran, goOn := waiting(t, 3, change)
		if err := q.accept(t.Context(), numbered(9)); !errors.Is(err, mailbox.ErrFull) {
			t.Errorf("%s: %v", what, err)
		}
		goOn()
		for i := range 4 {
			if c := <-ran; c.messageID() != numbered(i).ID {
				t.Errorf("%s: %s is number %d", what, c.messageID(), i)
			}
		}
		if q.size != 0 {
			t.Errorf("%s: %d bytes are left of nothing", what, q.size)
		}
	}
}

// Ten thousand documents would be more than the agent's memory.
func TestOfAWaitingCommandOnlyItsNameStaysInMemory(t *testing.T) {
	q, ran, goOn := waiting(t, 1, func(*queue) {})
	c := q.waiting[0]
	if !c.brief || c.InstancePluginsInformation != nil {
		t.Errorf("%+v", c.Job)
	}
	if err := q.cancel(c.messageID()); err != nil {
		t.Fatal(err)
	}
	if c.InstancePluginsInformation == nil || !c.SsmSetup.Cancelled {
		t.Errorf("%+v", c.Job)
	}
	goOn()
	<-ran
	<-ran
	left, err := q.journal.Load(15, time.Now(), nil)
	if err != nil || len(left.Pending) != 2 || len(left.Pending[1].InstancePluginsInformation) == 0 || !left.Pending[1].SsmSetup.Cancelled {
		t.Errorf("%+v, %v", left.Pending, err)
	}
}

func TestAClockSetBackByAYearDelaysNoReboot(t *testing.T) {
	r := &rebooter{boot: "b", patience: 10 * time.Millisecond, now: time.Now}
	c := &command{Job: &journal.Job{}}
	c.SsmSetup.RebootFrom, c.SsmSetup.RebootAsked = "b", time.Now().AddDate(1, 0, 0)
	ctx, end := context.WithTimeout(t.Context(), patience)
	defer end()
	if r.wait(ctx, c) || ctx.Err() != nil {
		t.Error("it waits for the clock")
	}
}

const patience = 20 * time.Second

// Two documents may ask for a restart at once: the first that gives up does not let commands in while the other waits.
func TestTheQueueTakesNothingWhileItIsHeld(t *testing.T) {
	ran := make(chan string, 2)
	q := newTestQueue(t, func(c *command) { ran <- c.ID().String() })
	first, second := q.hold(), q.hold()
	const command = "2b196342-d7d4-436e-8f09-3883a1116ac3"
	send := func() error {
		return q.accept(t.Context(), mailbox.Message{Topic: wire.TopicSendCommand, ID: wire.MessageID(command, someNode), Payload: "{}"})
	}
	if err := send(); !errors.Is(err, mailbox.ErrClosed) {
		t.Error(err)
	}
	first()
	first()
	if err := send(); !errors.Is(err, mailbox.ErrClosed) {
		t.Error("one of two let go:", err)
	}
	second()
	if err := send(); err != nil || <-ran != command {
		t.Error(err)
	}
	q.busy.Wait()
}
