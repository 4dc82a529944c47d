//go:build unix

package agent_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// overChannel is a registered machine whose region has control channels.
func overChannel(tb testing.TB, settings map[string]any) *host {
	tb.Helper()
	h := registered(tb, settings)
	h.region.DenyChannels(false)
	return h
}

// connected starts an agent and waits until its channel is open.
func (h *host) connected() running {
	h.Helper()
	a := h.start()
	h.until("a control channel", func() bool { return h.region.Channels(h.id) == 1 })
	return a
}

// lanes are the ways that commands come by: a machine whose agent runs and receives by that one.
func lanes() map[string]func(tb testing.TB, settings map[string]any) *host {
	return map[string]func(tb testing.TB, settings map[string]any) *host{
		"ec2messages": func(tb testing.TB, settings map[string]any) *host {
			h := registered(tb, settings)
			h.start()
			return h
		},
		"ssmmessages": func(tb testing.TB, settings map[string]any) *host {
			h := overChannel(tb, settings)
			h.connected()
			return h
		},
	}
}

// onEachLane runs a test over every lane.
func onEachLane(t *testing.T, settings map[string]any, f func(t *testing.T, lane string, h *host)) {
	for name, start := range lanes() {
		t.Run(name, func(t *testing.T) { f(t, name, start(t, settings)) })
	}
}

func TestACommandIsAnsweredAlikeOnEachLane(t *testing.T) {
	onEachLane(t, nil, func(t *testing.T, lane string, h *host) {
		id := h.shell("echo hello")
		if inv := h.wait(id); inv.Status != "Success" || inv.StandardOutput != "hello\n" || inv.Code != 0 {
			t.Errorf("%+v", inv)
		}
		h.until("the journal to be empty", h.idle)
		r := h.replies(id)
		if len(r) != 3 || r[0].RuntimeStatus != nil || r[0].DocumentStatus != wire.InProgress || len(r[1].RuntimeStatus) != 1 ||
			r[2].DocumentStatus != wire.Success || r[2].AdditionalInfo.RuntimeStatusCounts["Success"] != 1 {
			t.Errorf("%+v", r)
		}
		jobs, acks := h.region.Count("agent_job"), h.region.Count("agent_job_ack")
		polled := h.region.Count("AcknowledgeMessage")
		if over := lane == "ssmmessages"; over != (jobs == 1 && acks == 1) || over != (polled == 0) ||
			over != (r[2].AdditionalInfo.AbleToOpenMGSConnection == nil) {
			t.Errorf("%d jobs, %d acknowledged over the channel, %d polled; %+v", jobs, acks, polled, r[2])
		}
		if n := len(files(filepath.Join(h.layout.Data(), h.id, "idempotency", "SendCommand"))); n != 1 {
			t.Errorf("%d marked as received", n)
		}
	})
}

func TestABadDocumentIsRejectedWithItsReasonOnEachLane(t *testing.T) {
	onEachLane(t, nil, func(t *testing.T, lane string, h *host) {
		h.must(h.region.PutDocument("Bad", `{"schemaVersion":"2.2","parameters":{"p":{"type":"String"}},"mainSteps":[
			{"action":"aws:runShellScript","name":"a","inputs":{"runCommand":["{{ssm:none}}"]}}]}`))
		id, err := h.region.SendCommand("Bad", h.id, map[string][]string{"p": {"x"}})
		h.must(err)
		if inv := h.wait(id); inv.Status != "Failed" || inv.Trace == "" {
			t.Errorf("%+v", inv)
		}
		h.wait(h.shell("true"))
	})
}

// Running, waiting behind it: a cancel reaches both at once.
func TestACancelReachesWhatRunsAndWhatWaitsOnEachLane(t *testing.T) {
	onEachLane(t, map[string]any{"Mds.CommandWorkersLimit": 1}, func(t *testing.T, lane string, h *host) {
		mark := filepath.Join(t.TempDir(), "mark")
		runs := h.shell("echo x >> "+mark, "sleep 60")
		h.until("the script to run", func() bool { return h.read(mark) != "" })
		waits := h.shell("echo y >> " + mark)
		h.until("the second to be taken", func() bool { return len(files(h.state("pending"))) == 1 })
		for _, id := range []string{waits, runs} {
			h.must(h.region.Cancel(id))
			if inv := h.wait(id); inv.Status != "Cancelled" {
				t.Errorf("%+v", inv)
			}
			if h.final(id) != 1 {
				t.Errorf("%+v", h.replies(id))
			}
		}
		h.until("the journal to be empty", h.idle)
		if got := h.read(mark); got != "x\n" {
			t.Errorf("ran %q", got)
		}
	})
}

// A thousand commands at once are all taken as they come, none is refused for want of a place, and a cancel behind them gets through.
func TestOfAThousandCommandsAtOnceNoneIsRefused(t *testing.T) {
	const many = 1000
	h := overChannel(t, map[string]any{"Mds.CommandWorkersLimit": 1})
	dir := t.TempDir()
	h.connected()
	h.shell("echo x >> "+filepath.Join(dir, "runs"), "while [ -d "+dir+" ]; do sleep 0.05; done")
	h.until("the first to run", func() bool { return h.read(filepath.Join(dir, "runs")) != "" }) // two lanes keep no order
	for range many - 1 {
		h.shell("true")
	}
	h.until("all to be acknowledged", func() bool { // the first ones may come by a poll
		return h.region.Count("agent_job_ack")+h.region.Count("AcknowledgeMessage") >= many
	})
	for _, c := range h.region.Calls("agent_job_ack") { // a busy machine may be sent one twice, and says so
		if !strings.Contains(string(c.Body), `"200"`) && !strings.Contains(string(c.Body), `"51405"`) {
			t.Errorf("%s", c.Body)
		}
	}
	h.until("all to be in the journal", func() bool { return len(files(h.state("pending"))) >= many-1 })
	last := h.shell("true")
	h.must(h.region.Cancel(last))
	if inv := h.wait(last); inv.Status != "Cancelled" {
		t.Errorf("behind a thousand others: %+v", inv)
	}
	h.must(os.RemoveAll(dir))
}

// Without an acknowledgement a reply is sent again at once, with the same id, then kept, and sent when the service is there again.
func TestAReplyWithoutAnAcknowledgementIsSentAgainAndTakenOnce(t *testing.T) {
	h := overChannel(t, nil)
	a := h.connected()
	kept := func() []string { return files(filepath.Join(h.layout.Data(), h.id, "replies_mgs")) }
	h.region.Disturb(func(toNode bool, kind string) local.Disturbance {
		return local.Disturbance{Drop: toNode && kind == wire.FrameReplyAck}
	})
	id := h.shell("echo late")
	h.until("two replies to be kept", func() bool { return h.idle() && len(kept()) == 2 })
	a.stop() // the next agent has them
	h.region.Mend()
	h.connected()
	h.until("nothing to be kept", func() bool { return len(kept()) == 0 })
	if inv := h.wait(id); inv.Status != "Success" || inv.StandardOutput != "late\n" {
		t.Errorf("%+v", inv)
	}
	if r := h.replies(id); len(r) != 3 || h.region.Count(wire.FrameReply) < 1+3+2 {
		t.Errorf("%d taken of %d sent", len(r), h.region.Count(wire.FrameReply))
	}
}

// Where the channel is lost in the middle of a command, its results come when it is back.
func TestACommandOutlivesItsChannel(t *testing.T) {
	h := overChannel(t, nil)
	h.connected()
	dir := t.TempDir()
	mark, gate := filepath.Join(dir, "mark"), filepath.Join(dir, "gate")
	id := h.shell("echo x >> "+mark, "while [ -d "+dir+" ] && [ ! -e "+gate+" ]; do sleep 0.01; done", "echo out")
	h.until("the script to run", func() bool { return h.read(mark) != "" })
	h.region.CloseChannels("")
	h.until("the channel to be lost", func() bool { return h.region.Count("OpenControlChannel") == 1 })
	h.must(os.WriteFile(gate, nil, 0o600))
	if inv := h.wait(id); inv.Status != "Success" || inv.StandardOutput != "out\n" || h.final(id) != 1 || h.read(mark) != "x\n" {
		t.Errorf("%+v, %d results, ran %q", inv, h.final(id), h.read(mark))
	}
}

// A node that may have no channel any more polls at once, and a command that came over the channel without the service knowing is not run
// again when it comes by a poll.
func TestPollsTakeOverFromALostChannel(t *testing.T) {
	h := overChannel(t, nil)
	h.connected()
	mark := filepath.Join(t.TempDir(), "mark")
	h.region.Disturb(func(toNode bool, kind string) local.Disturbance { return local.Disturbance{Drop: !toNode} })
	twice := h.shell("echo x >> " + mark)
	h.until("it to run", func() bool { return h.read(mark) != "" })
	h.region.DenyChannels(true)
	h.region.Mend()
	h.region.CloseChannels("")
	once := h.shell("echo y >> " + mark)
	if inv := h.wait(once); inv.Status != "Success" {
		t.Errorf("%+v", inv)
	}
	h.until("the copy to be acknowledged", func() bool { return h.region.Count("AcknowledgeMessage") == 2 })
	if got := h.read(mark); got != "x\ny\n" {
		t.Errorf("ran %q", got)
	}
	h.region.DenyChannels(false)
	h.must(h.region.Cancel(twice)) // its results wait for the channel, which is tried again in a while
}

// A region without channels is asked for one now and then, and the log says so once.
func TestARegionWithoutChannelsIsPolledQuietly(t *testing.T) {
	h := registered(t, nil)
	h.start()
	h.wait(h.shell("true"))
	h.until("a try", func() bool { return h.region.Count("CreateControlChannel") == 1 })
	h.wait(h.shell("true"))
	log := h.read(filepath.Join(h.layout.Logs(), "amazon-ssm-agent.log"))
	if n := strings.Count(log, "channel cannot be opened"); n != 1 || h.read(filepath.Join(h.layout.Logs(), "errors.log")) != "" {
		t.Errorf("said %d times:\n%s", n, log)
	}
	h.until("a pulse that says so", func() bool {
		p, err := installer.ReadPulse(h.layout.Pulse())
		return err == nil && p.Lanes["MessageGatewayService"].Denied && !p.Lanes["MessageDeliveryService"].Answered.IsZero()
	})
}

// Settings that name an address of their own for ec2messages, and none for ssmmessages, are of a region that Amazon knows nothing of.
func TestNoChannelIsOpenedToAmazonForARegionOfItsOwn(t *testing.T) {
	h := registered(t, map[string]any{"Mgs.Endpoint": ""})
	h.start()
	h.wait(h.shell("true"))
	if log := h.read(filepath.Join(h.layout.Logs(), "amazon-ssm-agent.log")); strings.Contains(log, "channel") {
		t.Error(log)
	}
}

// Whenever an agent is killed, what came over its channel runs once and is answered once.
func TestAnAgentKilledAtAnyMomentAnswersWhatCameOverItsChannelOnce(t *testing.T) {
	h := overChannel(t, map[string]any{"Mds.CommandRetryLimit": 100})
	dir := t.TempDir()
	const rounds = 15
	var ids []string
	for i := range rounds {
		kill := h.mortal()
		h.until("a channel", func() bool { return h.region.Channels(h.id) == 1 })
		ids = append(ids, h.shell(fmt.Sprintf("echo x >> %s/%d; echo out %d", dir, i, i)))
		time.Sleep(time.Duration(i) * 2 * time.Millisecond)
		kill()
		h.until("no channel", func() bool { return h.region.Channels(h.id) == 0 })
		h.region.Advance(11 * time.Second)
	}
	h.mortal()
	for i, id := range ids {
		if inv := h.wait(id); inv.Status != "Success" || inv.StandardOutput != fmt.Sprintf("out %d\n", i) {
			t.Errorf("command %d: %+v", i, inv)
		}
		if runs := h.read(filepath.Join(dir, strconv.Itoa(i))); runs != "x\n" {
			t.Errorf("command %d ran %q", i, runs)
		}
	}
	h.until("the journal to be empty", h.idle)
	for i, id := range ids {
		if n := h.final(id); n != 1 {
			t.Errorf("command %d: %d results", i, n)
		}
	}
}

// Frames are lost, doubled, changed, late and cut, in both directions: every command runs once and is answered once.
func TestADisturbedChannelLosesAndDoublesNothing(t *testing.T) {
	h := overChannel(t, nil)
	h.connected()
	dir := t.TempDir()
	var mu sync.Mutex
	chance := rand.New(rand.NewPCG(21, 4))
	h.region.Disturb(func(toNode bool, kind string) local.Disturbance {
		mu.Lock()
		defer mu.Unlock()
		switch n := chance.IntN(100); {
		case n < 8:
			return local.Disturbance{Drop: true}
		case n < 16:
			return local.Disturbance{Twice: true}
		case n < 20:
			return local.Disturbance{Corrupt: toNode}
		case n < 30:
			return local.Disturbance{Delay: time.Duration(chance.IntN(20)) * time.Millisecond}
		case n < 31:
			return local.Disturbance{Cut: true}
		}
		return local.Disturbance{}
	})
	const many = 40
	var ids []string
	for i := range many {
		ids = append(ids, h.shell(fmt.Sprintf("echo x >> %s/%d; echo out %d", dir, i, i)))
	}
	h.until("all to run", func() bool { h.region.Advance(time.Second); return len(files(dir)) == many && h.idle() })
	h.region.Mend()
	for i, id := range ids {
		if inv := h.wait(id); inv.Status != "Success" || inv.StandardOutput != fmt.Sprintf("out %d\n", i) {
			t.Errorf("command %d: %+v", i, inv)
		}
		if runs := h.read(filepath.Join(dir, strconv.Itoa(i))); runs != "x\n" || h.final(id) != 1 {
			t.Errorf("command %d ran %q, %d results", i, runs, h.final(id))
		}
	}
}

// The answer of an update to a command that came over ssmmessages is a file, which the agent sends over its channel
// (docs/protocol/update.md, "Command reply").
func TestTheAnswerOfAnUpdateGoesOverTheChannel(t *testing.T) {
	h := overChannel(t, nil)
	a := h.connected()
	id := h.shell("true")
	h.wait(id)
	a.stop()
	h.until("no channel", func() bool { return h.region.Channels(h.id) == 0 })
	directory := filepath.Join(h.layout.Data(), h.id)
	late := mailbox.LateFor(mailbox.SSMMessages, func() (mailbox.Machine, error) { return mailbox.Machine{Directory: directory}, nil })
	payload := `{"documentStatus":"Success","runtimeStatus":{"awsupdateSsmAgent":{"status":"Success","name":"aws:updateSsmAgent","output":"updated"}}}`
	for range 2 { // a resumed updater says it again
		h.must(late.Reply(t.Context(), wire.MessageID(id, h.id), "0c0ffee0-1111-4222-8333-444455556666", payload))
	}
	h.must(late.Delete(t.Context(), wire.MessageID(id, h.id)))
	left := files(filepath.Join(directory, "replies_mgs"))
	if len(left) != 1 || !strings.HasSuffix(left[0], "_"+wire.MessageID(id, h.id)+"_update") {
		t.Fatalf("%q", left)
	}
	h.connected()
	h.until("it to be sent", func() bool { return len(files(filepath.Join(directory, "replies_mgs"))) == 0 })
	r := h.region.Replies(id, h.id)
	if last := r[len(r)-1]; len(r) != 4 || last.ReplyID != "0c0ffee0-1111-4222-8333-444455556666" ||
		!strings.Contains(last.Payload, `"output":"updated"`) {
		t.Errorf("%+v", r)
	}
}
