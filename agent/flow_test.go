//go:build unix

package agent_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

func (h *host) idle() bool { return len(files(h.state("pending")))+len(files(h.state("current"))) == 0 }

// replies are the replies to a command, decoded.
func (h *host) replies(command string) (out []wire.Reply) {
	h.Helper()
	for _, r := range h.region.Replies(command, h.id) {
		var reply wire.Reply
		h.must(json.Unmarshal([]byte(r.Payload), &reply))
		out = append(out, reply)
	}
	return out
}

// final tells how many of a command's replies say that the document ended.
func (h *host) final(command string) (n int) {
	h.Helper()
	for _, r := range h.replies(command) {
		if r.DocumentStatus != wire.InProgress {
			n++
		}
	}
	return n
}

func (h *host) read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

func TestACommandRunsAndIsAnsweredInThreeReplies(t *testing.T) {
	h := registered(t, nil)
	h.start()
	id := h.shell("echo hello")
	if inv := h.wait(id); inv.Status != "Success" || inv.StandardOutput != "hello\n" || inv.Code != 0 {
		t.Errorf("%+v", inv)
	}
	h.until("the journal to be empty", h.idle)
	r := h.replies(id)
	if len(r) != 3 || r[0].RuntimeStatus != nil || r[1].DocumentStatus != wire.InProgress || len(r[1].RuntimeStatus) != 1 ||
		r[2].DocumentStatus != wire.Success || len(r[2].RuntimeStatus) != 1 || r[2].AdditionalInfo.RuntimeStatusCounts["Success"] != 1 {
		t.Errorf("%+v", r)
	}
	if h.region.Count("AcknowledgeMessage") != 1 || len(files(filepath.Join(h.layout.Data(), h.id, "idempotency", "SendCommand"))) != 1 {
		t.Error("not acknowledged once, or not marked as received")
	}
	h.until("the worker's folder to be gone", func() bool { return len(files(filepath.Join(h.layout.Data(), h.id, "channels"))) == 0 })
}

// What the agent tells its worker by environment does not reach a script.
func TestNothingForTheWorkerReachesAScript(t *testing.T) {
	h := registered(t, nil)
	h.start()
	inv := h.wait(h.shell("env | grep -E 'GOMAXPROCS|SSM_DOCUMENT_WORKER|SSM_START' || echo clean"))
	if !strings.HasPrefix(inv.StandardOutput, "clean\n") {
		t.Errorf("%+v", inv)
	}
}

func TestTheLastReplyOfTwoStepsNamesNoStep(t *testing.T) {
	h := registered(t, nil)
	h.must(h.region.PutDocument("Two", `{"schemaVersion":"2.2","mainSteps":[
		{"action":"aws:runShellScript","name":"a","inputs":{"runCommand":["echo a"]}},
		{"action":"aws:runShellScript","name":"b","inputs":{"runCommand":["exit 3"]}}]}`))
	h.start()
	id, err := h.region.SendCommand("Two", h.id, nil)
	h.must(err)
	h.wait(id)
	r := h.replies(id)
	last := r[len(r)-1]
	if last.DocumentStatus != wire.Failed || last.RuntimeStatus == nil || len(last.RuntimeStatus) != 0 || len(r) != 4 {
		t.Errorf("%+v", r)
	}
}

func TestABadDocumentIsRejectedWithItsReason(t *testing.T) {
	h := registered(t, nil)
	h.must(h.region.PutDocument("Bad", `{"schemaVersion":"2.2","parameters":{"p":{"type":"String"}},"mainSteps":[
		{"action":"aws:runShellScript","name":"a","inputs":{"runCommand":["{{ssm:none}}"]}}]}`))
	h.start()
	id, err := h.region.SendCommand("Bad", h.id, map[string][]string{"p": {"x"}})
	h.must(err)
	if inv := h.wait(id); inv.Status != "Failed" || inv.Trace == "" {
		t.Errorf("%+v", inv)
	}
	if h.region.Count("AcknowledgeMessage")+h.region.Count("FailMessage") != 0 {
		t.Error("acknowledged or failed")
	}
}

func TestACommandDeliveredTwiceRunsOnce(t *testing.T) {
	h := registered(t, nil)
	h.region.Break("AcknowledgeMessage", 1, 400, "")
	h.start()
	mark := filepath.Join(t.TempDir(), "mark")
	id := h.shell("echo x >> " + mark)
	h.wait(id)
	h.until("an acknowledgement that failed", func() bool { return h.region.Count("AcknowledgeMessage") == 1 })
	h.region.Advance(11 * time.Second)
	if h.region.Count("SendReply") < 4 { // consumed by its last reply, or delivered again and acknowledged
		h.until("an idle journal", h.idle)
	}
	if got := h.read(mark); got != "x\n" {
		t.Errorf("ran %q", got)
	}
}

func TestARunningCommandIsCancelled(t *testing.T) {
	h := registered(t, nil)
	h.start()
	mark := filepath.Join(t.TempDir(), "mark")
	id := h.shell("echo x > "+mark, "sleep 60")
	h.until("the script to run", func() bool { return h.read(mark) != "" })
	h.must(h.region.Cancel(id))
	if inv := h.wait(id); inv.Status != "Cancelled" {
		t.Errorf("%+v", inv)
	}
	h.until("the journal to be empty", h.idle)
	if h.final(id) != 1 {
		t.Errorf("%+v", h.replies(id))
	}
}

// One runs, all others are acknowledged and wait; a cancel of a waiting one is answered at once; all others run, in order.
// docs/protocol/runcommand.md, "Concurrency and shutdown".
func TestCommandsBeyondTheLimitWaitAndRunInOrder(t *testing.T) {
	h := registered(t, map[string]any{"Mds.CommandWorkersLimit": 1})
	h.start()
	dir := t.TempDir()
	gate, order := filepath.Join(dir, "gate"), filepath.Join(dir, "order")
	var ids []string
	for i := range 5 {
		ids = append(ids, h.shell(fmt.Sprintf("echo %[1]d >> %[2]s; while [ -e %[2]s ] && [ ! -e %[3]s ]; do sleep 0.01; done", i, order, gate)))
		h.until("its delivery", func() bool { return h.region.Count("GetMessages") >= i+1 })
	}
	h.until("all to be acknowledged", func() bool { return h.region.Count("AcknowledgeMessage") == 5 })
	h.until("one to run", func() bool { return h.read(order) == "0\n" && len(files(h.state("current"))) == 1 })
	if n := len(files(h.state("pending"))); n != 4 {
		t.Errorf("%d wait", n)
	}
	h.must(h.region.Cancel(ids[2]))
	if inv := h.wait(ids[2]); inv.Status != "Cancelled" {
		t.Errorf("%+v", inv)
	}
	h.must(os.WriteFile(gate, nil, 0o600))
	for i, id := range ids {
		if inv := h.wait(id); i != 2 && inv.Status != "Success" {
			t.Errorf("command %d: %+v", i, inv)
		}
	}
	h.until("the journal to be empty", h.idle)
	if got := h.read(order); got != "0\n1\n3\n4\n" {
		t.Errorf("order %q", got)
	}
}

// A command that has no place on the host would come again ten seconds later, and a copy of one that has would be told of again.
func TestOfManyCommandsAtOnceNoneWaitsForARedelivery(t *testing.T) {
	const many = 90
	h := registered(t, map[string]any{"Mds.CommandWorkersLimit": 2})
	dir := t.TempDir()
	gate := filepath.Join(dir, "gate")
	wait := "while [ -d " + dir + " ] && [ ! -e " + gate + " ]; do sleep 0.01; done"
	ids := []string{h.shell(wait), h.shell(wait)}
	for range many - 2 {
		ids = append(ids, h.shell("true"))
	}
	h.start()
	h.until("all to be acknowledged", func() bool { return h.region.Count("AcknowledgeMessage") >= many })
	if n := len(files(h.state("pending"))); n != many-2 {
		t.Errorf("%d wait", n)
	}
	h.must(os.WriteFile(gate, nil, 0o600))
	for i, id := range ids {
		if inv := h.wait(id); inv.Status != "Success" {
			t.Errorf("command %d: %+v", i, inv)
		}
	}
	h.until("the journal to be empty", h.idle)
}

// What could not be sent is sent when the service takes it again. 16, 17.
func TestAReplyThatCouldNotBeSentIsSentLater(t *testing.T) {
	h := registered(t, nil)
	h.region.HoldPolls(50 * time.Millisecond)
	h.start()
	h.wait(h.shell("true"))
	h.region.Break("SendReply", -1, 400, "")
	id := h.shell("echo late")
	h.until("the journal to be empty", func() bool { return h.region.Count("AcknowledgeMessage") == 2 && h.idle() })
	h.region.Mend()
	if inv := h.wait(id); inv.Status != "Success" || inv.StandardOutput != "late\n" {
		t.Errorf("%+v", inv)
	}
	h.until("nothing to be kept", func() bool { return len(files(filepath.Join(h.layout.Data(), h.id, "replies"))) == 0 })
}

// Registering needs no restart.
func TestRegisteringNeedsNoRestart(t *testing.T) {
	h := newHost(t, nil)
	h.start()
	h.until("a pulse", func() bool { _, err := installer.ReadPulse(h.layout.Pulse()); return err == nil })
	h.register()
	if inv := h.wait(h.shell("echo hello")); inv.Status != "Success" {
		t.Errorf("%+v", inv)
	}
	p, err := installer.ReadPulse(h.layout.Pulse())
	h.must(err)
	if p.InstanceID != h.id || p.PID != os.Getpid() || p.LastRoundTrip.IsZero() {
		t.Errorf("%+v", p)
	}
	log := h.read(filepath.Join(h.layout.Logs(), "amazon-ssm-agent.log"))
	if strings.Count(log, "Identity not found") != 1 {
		t.Error(log)
	}
}

// A registration that is exchanged for another one takes effect without a restart.
func TestAnotherRegistrationTakesEffectWithoutARestart(t *testing.T) {
	h := registered(t, nil)
	h.start()
	h.wait(h.shell("true"))
	before := h.id
	h.register()
	if h.id == before {
		t.Fatal("the same node again")
	}
	if inv := h.wait(h.shell("echo hello")); inv.Status != "Success" {
		t.Errorf("%+v", inv)
	}
}

// A node that its region no longer knows waits; registering it anew wakes it.
func TestARefusedNodeIsWokenByANewRegistration(t *testing.T) {
	h := registered(t, nil)
	h.must(h.region.Deregister(h.id))
	h.start()
	h.until("a refusal", func() bool {
		return strings.Contains(h.read(filepath.Join(h.layout.Logs(), "amazon-ssm-agent.log")), "not registered")
	})
	h.register()
	if inv := h.wait(h.shell("echo hello")); inv.Status != "Success" {
		t.Errorf("%+v", inv)
	}
}

func TestAConfigurationThatCannotBeReadIsWaitedFor(t *testing.T) {
	h := registered(t, nil)
	good := h.read(h.layout.ConfigFile())
	h.must(os.WriteFile(h.layout.ConfigFile(), []byte("{"), 0o600))
	h.start()
	h.until("a complaint", func() bool {
		return strings.Contains(h.read(filepath.Join(h.layout.Logs(), "errors.log")), "configuration")
	})
	h.must(os.WriteFile(h.layout.ConfigFile(), []byte(good), 0o600))
	if inv := h.wait(h.shell("echo hello")); inv.Status != "Success" {
		t.Errorf("%+v", inv)
	}
}

// Without a first ping nothing else runs; when it succeeds, everything does.
func TestNothingElseRunsBeforeTheFirstPing(t *testing.T) {
	h := registered(t, nil)
	h.region.Break("UpdateInstanceInformation", -1, 501, "InternalServerError")
	h.start()
	id := h.shell("echo hello")
	h.until("a failed ping", func() bool { return h.region.Count("UpdateInstanceInformation") >= 1 })
	if h.region.Count("GetMessages") != 0 {
		t.Error("polled before a ping was taken")
	}
	h.region.Mend()
	if inv := h.wait(id); inv.Status != "Success" {
		t.Errorf("%+v", inv)
	}
}
