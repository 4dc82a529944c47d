package local_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

func shell(lines ...string) map[string][]string { return map[string][]string{"commands": lines} }

func sendShell(t *testing.T, r *local.Region, n *agentNode, lines ...string) (id string) {
	t.Helper()
	id, err := r.SendCommand("AWS-RunShellScript", n.id, shell(lines...))
	must(t, err)
	return id
}

func statusOf(t *testing.T, r *local.Region, id string, n *agentNode) string {
	t.Helper()
	inv, err := r.Invocation(id, n.id)
	must(t, err)
	return inv.Status
}

func TestACommandReachesItsNodeAndItsReplyComesBack(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	id := sendShell(t, r, n, "echo hello")
	if s := statusOf(t, r, id, n); s != "Pending" {
		t.Errorf("before delivery: %s", s)
	}
	got := n.poll()
	if len(got) != 1 {
		t.Fatalf("%d messages", len(got))
	}
	m := got[0]
	if m.MessageId != "aws.ssm."+id+"."+n.id || m.Topic != "aws.ssm.sendCommand" || m.Destination != n.id || len(m.CreatedDate) != 24 {
		t.Errorf("message %+v", m)
	}
	var payload wire.SendCommand
	must(t, json.Unmarshal([]byte(m.Payload), &payload))
	if payload.CommandId != id || payload.DocumentName != "AWS-RunShellScript" || payload.CloudWatchOutputEnabled != "false" ||
		payload.Parameters["executionTimeout"] != "3600" || payload.Parameters["workingDirectory"] != "" {
		t.Errorf("payload %+v", payload)
	}
	n.reply(m.MessageId, wire.InProgress, nil)
	n.ack(m)
	if s := statusOf(t, r, id, n); s != "InProgress" {
		t.Errorf("after acknowledging: %s", s)
	}
	n.reply(m.MessageId, wire.Success, map[string]wire.StepStatus{"aws:runShellScript": done("Success", 0, "hello\n", "")})
	inv, err := r.WaitCommand(context.Background(), id, n.id)
	must(t, err)
	if inv.Status != "Success" || inv.StandardOutput != "hello\n" || inv.Code != 0 || len(inv.Plugins) != 1 {
		t.Errorf("result %+v", inv)
	}
	if replies := r.Replies(id, n.id); len(replies) != 2 {
		t.Errorf("%d replies kept, want 2", len(replies))
	}
}

// A poll that waits gets a message at once, and several in the order they were sent.
func TestAPollIsWokenAndMessagesComeInOrder(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	got := make(chan []wire.Message)
	go func() { got <- n.poll() }()
	first := sendShell(t, r, n, "echo 1")
	ids := []string{wire.CommandID((<-got)[0].MessageId)}
	second, third := sendShell(t, r, n, "echo 2"), sendShell(t, r, n, "echo 3")
	for _, m := range n.poll() {
		ids = append(ids, wire.CommandID(m.MessageId))
	}
	if !slices.Equal(ids, []string{first, second, third}) {
		t.Errorf("got %v", ids)
	}
}

func TestAnUnacknowledgedMessageComesAgain(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	r.HoldPolls(time.Millisecond)
	sendShell(t, r, n, "echo")
	first := n.poll()
	if again := n.poll(); len(first) != 1 || len(again) != 0 {
		t.Fatalf("%d messages, then %d while hidden", len(first), len(again))
	}
	r.Advance(11 * time.Second)
	if again := n.poll(); len(again) != 1 || again[0].MessageId != first[0].MessageId {
		t.Errorf("after 11 s: %v", again)
	}
	n.ack(first[0])
	r.Advance(11 * time.Second)
	if again := n.poll(); len(again) != 0 {
		t.Errorf("after acknowledging: %v", again)
	}
}

// A node that refuses a document only replies: that consumes the message too.
func TestAFinalReplySettlesItsMessage(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	r.HoldPolls(time.Millisecond)
	id := sendShell(t, r, n, "echo")
	m := n.poll()[0]
	payload, _ := json.Marshal(wire.Reply{DocumentStatus: wire.Failed, DocumentTraceOutput: "no such schema"})
	must(t, n.messages("SendReply", wire.SendReplyInput{MessageId: m.MessageId, ReplyId: uuid.NewString(), Payload: string(payload)}, nil))
	r.Advance(11 * time.Second)
	if again := n.poll(); len(again) != 0 {
		t.Errorf("came again: %v", again)
	}
	inv, err := r.Invocation(id, n.id)
	must(t, err)
	if inv.Status != "Failed" || inv.Trace != "no such schema" {
		t.Errorf("%+v", inv)
	}
}

func TestAFinishedCommandNeverMovesBack(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	id := sendShell(t, r, n, "echo")
	m := n.poll()[0]
	n.reply(m.MessageId, wire.Success, map[string]wire.StepStatus{"aws:runShellScript": done("Success", 0, "yes", "")})
	n.reply(m.MessageId, wire.InProgress, nil)
	n.reply(m.MessageId, wire.Failed, map[string]wire.StepStatus{"aws:runShellScript": done("Failed", 1, "no", "")})
	n.ack(m)
	inv, err := r.Invocation(id, n.id)
	must(t, err)
	if inv.Status != "Success" || inv.StandardOutput != "yes" {
		t.Errorf("%+v", inv)
	}
	if got := len(r.Replies(id, n.id)); got != 3 {
		t.Errorf("%d replies kept, want all 3", got)
	}
}

func TestARepeatedReplyCountsOnce(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	id := sendShell(t, r, n, "echo")
	m := n.poll()[0]
	reply := uuid.NewString()
	first, err := n.replyAs(reply, m.MessageId, wire.InProgress, nil)
	must(t, err)
	second, err := n.replyAs(reply, m.MessageId, wire.InProgress, nil)
	must(t, err)
	if first.ReplyStatus != "Acknowledged" || second.ReplyStatus != "NoActionTaken" || len(r.Replies(id, n.id)) != 1 {
		t.Errorf("%v, %v, %d kept", first, second, len(r.Replies(id, n.id)))
	}
}

// Reboots and updates answer twice: the first final reply is none.
func TestACommandStaysInProgressUntilItsFinalReply(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	for _, status := range []string{wire.SuccessAndReboot, wire.InProgress} {
		id := sendShell(t, r, n, "echo")
		m := n.poll()[0]
		n.ack(m)
		n.reply(m.MessageId, status, map[string]wire.StepStatus{"aws:runShellScript": done(status, 194, "", "")})
		if s := statusOf(t, r, id, n); s != "InProgress" {
			t.Errorf("after %s: %s", status, s)
		}
		n.reply(m.MessageId, wire.Success, map[string]wire.StepStatus{"aws:runShellScript": done("Success", 0, "up", "")})
		must(t, n.messages("DeleteMessage", wire.DeleteMessageInput{MessageId: m.MessageId}, nil))
		if s := statusOf(t, r, id, n); s != "Success" {
			t.Errorf("after the end: %s", s)
		}
	}
}

func TestAFailedMessageIsUndeliverable(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	id := sendShell(t, r, n, "echo")
	m := n.poll()[0]
	must(t, n.messages("FailMessage", wire.FailMessageInput{MessageId: m.MessageId, FailureType: wire.InternalHandlerException}, nil))
	inv, err := r.Invocation(id, n.id)
	must(t, err)
	if inv.Status != "Failed" || inv.StatusDetails != "Undeliverable" {
		t.Errorf("%+v", inv)
	}
	wantCode(t, n.messages("FailMessage", wire.FailMessageInput{MessageId: m.MessageId, FailureType: "Mood"}, nil), "ValidationException")
}

func TestMailboxesArePrivate(t *testing.T) {
	r := local.Start(t)
	a, b := newNode(t, r), newNode(t, r)
	sendShell(t, r, a, "echo")
	m := a.poll()[0]
	poll := wire.GetMessagesInput{Destination: a.id, MessagesRequestId: uuid.NewString()}
	wantCode(t, b.messages("GetMessages", poll, nil), "AuthorizationFailureException")
	wantCode(t, b.messages("AcknowledgeMessage", wire.AcknowledgeMessageInput{MessageId: m.MessageId}, nil), "AuthorizationFailureException")
	_, err := b.replyAs(uuid.NewString(), m.MessageId, wire.Success, nil)
	wantCode(t, err, "AuthorizationFailureException")
}

func TestUnknownMessagesAreRefused(t *testing.T) {
	r := local.Start(t)
	n := newNode(t, r)
	unknown := wire.MessageID(uuid.NewString(), n.id)
	for _, operation := range []string{"AcknowledgeMessage", "DeleteMessage"} {
		wantCode(t, n.messages(operation, wire.AcknowledgeMessageInput{MessageId: unknown}, nil), "InvalidMessageIdException")
		wantCode(t, n.messages(operation, wire.AcknowledgeMessageInput{MessageId: "short"}, nil), "InvalidMessageIdException")
	}
	_, err := n.replyAs(uuid.NewString(), unknown, wire.Success, nil)
	wantCode(t, err, "InvalidMessageIdException")
	var out wire.GetEndpointOutput
	must(t, n.messages("GetEndpoint", wire.GetEndpointInput{Destination: n.id}, &out))
	if out.Endpoint != r.URL() {
		t.Errorf("endpoint %s", out.Endpoint)
	}
}

// Messages, results and registrations outlive the region's process.
func TestMailAndCommandsSurviveARestart(t *testing.T) {
	data := t.TempDir()
	open := func() *local.Region {
		r, err := local.Open(local.Options{Data: data, NoSync: true})
		must(t, err)
		return r
	}
	r := open()
	n := newNode(t, r)
	finished, waiting := sendShell(t, r, n, "echo 1"), ""
	m := n.poll()[0]
	n.reply(m.MessageId, wire.Success, map[string]wire.StepStatus{"aws:runShellScript": done("Success", 0, "1", "")})
	waiting = sendShell(t, r, n, "echo 2")
	n.poll() // given out, never acknowledged
	must(t, r.Close())

	n.region = open()
	defer n.region.Close()
	if s := statusOf(t, n.region, finished, n); s != "Success" {
		t.Errorf("finished command: %s", s)
	}
	again := n.poll()
	if len(again) != 1 || wire.CommandID(again[0].MessageId) != waiting {
		t.Errorf("after restart: %v", again)
	}
}

func TestClosingTheRegionEndsPolls(t *testing.T) {
	r, err := local.Open(local.Options{Data: t.TempDir(), NoSync: true})
	must(t, err)
	n := newNode(t, r)
	ended := make(chan error)
	go func() {
		ended <- n.messages("GetMessages", wire.GetMessagesInput{Destination: n.id, MessagesRequestId: uuid.NewString()}, nil)
	}()
	must(t, r.Close())
	<-ended
}

func BenchmarkDelivery(b *testing.B) {
	r, err := local.Open(local.Options{Data: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	n := newNode(b, r)
	for b.Loop() {
		got := make(chan []wire.Message)
		go func() { got <- n.poll() }()
		time.Sleep(2 * time.Millisecond) // the poll is there
		began := time.Now()
		if _, err := r.SendCommand("AWS-RunShellScript", n.id, shell("echo")); err != nil {
			b.Fatal(err)
		}
		m := (<-got)[0]
		b.ReportMetric(float64(time.Since(began).Microseconds()), "µs/last-delivery")
		n.ack(m)
	}
}

// A step's reply that was held up shows its output even when the document has ended; the end stands.
func TestAStepThatIsReportedLateIsShown(t *testing.T) {
	r := local.Start(t)
	must(t, r.PutDocument("Two",
		"schemaVersion: '2.2'\nmainSteps:\n- {action: aws:runShellScript, name: first, inputs: {}}\n- {action: aws:runShellScript, name: second, inputs: {}}\n"))
	n := newNode(t, r)
	id, err := r.SendCommand("Two", n.id, nil)
	must(t, err)
	m := n.poll()[0]
	n.ack(m)
	n.reply(m.MessageId, wire.InProgress, map[string]wire.StepStatus{"second": done("Success", 0, "2\n", "")})
	n.reply(m.MessageId, wire.Success, map[string]wire.StepStatus{})
	n.reply(m.MessageId, wire.InProgress, map[string]wire.StepStatus{"first": done("Success", 0, "1\n", ""),
		"second": done("Failed", 1, "no", "")})
	if inv, err := r.Invocation(id, n.id); err != nil || inv.Status != "Success" || inv.StandardOutput != "1\n2\n" {
		t.Errorf("%+v, %v", inv, err)
	}
}
