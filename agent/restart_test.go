//go:build unix

package agent_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent"
	"github.com/ssm-setup/ssm-setup/agent/journal"
	system "github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// gated is a script that says it runs, waits for a file and says that it ends; it notes each of its runs.
// It also ends with its folder, so that a killed worker leaves no script behind.
func gated(dir string) (script string, open func() error, runs func() int) {
	script = "echo run >> " + dir + "/runs; while [ ! -e " + dir + "/gate ] && [ -e " + dir + "/runs ]; do sleep 0.01; done; echo end"
	open = func() error { return os.WriteFile(filepath.Join(dir, "gate"), nil, 0o600) }
	runs = func() int {
		text, _ := os.ReadFile(filepath.Join(dir, "runs"))
		return strings.Count(string(text), "\n")
	}
	return script, open, runs
}

// atWork is a registered machine with an agent whose one command, a gated script, runs.
type atWork struct {
	*host
	agent   running
	command string // its id
	open    func() error
	runs    func() int
}

func newAtWork(t *testing.T, settings map[string]any) *atWork {
	t.Helper()
	w := &atWork{host: registered(t, settings)}
	w.agent = w.start()
	var script string
	script, w.open, w.runs = gated(t.TempDir())
	w.command = w.shell(script)
	w.until("the script to run", func() bool { return w.runs() == 1 })
	return w
}

func TestAScriptOutlivesTheAgent(t *testing.T) {
	h := newAtWork(t, nil)
	h.agent.stop()
	h.agent = h.start()
	h.until("the agent to be back", func() bool { return h.region.Count("UpdateInstanceInformation") >= 2 })
	h.agent.stop()
	h.must(h.open()) // it ends while no agent runs
	time.Sleep(100 * time.Millisecond)
	h.start()
	if inv := h.wait(h.command); inv.Status != "Success" || inv.StandardOutput != "end\n" {
		t.Errorf("%+v", inv)
	}
	h.until("the journal to be empty", h.idle)
	if h.runs() != 1 || h.final(h.command) != 1 {
		t.Errorf("%d runs, %d results", h.runs(), h.final(h.command))
	}
}

// A reply that went out but was not noted is sent again under the same id, so the service counts it once.
func TestAResultSentAgainHasTheSameID(t *testing.T) {
	h := registered(t, nil)
	h.region.Break("SendReply", -1, 503, "") // retried by the client: the agent stops in the middle
	a := h.start()
	id := h.shell("echo hello")
	h.until("the script to end", func() bool {
		events, _ := os.ReadFile(filepath.Join(h.layout.Data(), h.id, "channels", id, "events"))
		return strings.Contains(string(events), `"done"`)
	})
	a.stop()
	if h.idle() {
		t.Fatal("the journal forgot a command that was not answered")
	}
	h.region.Mend()
	h.start()
	if inv := h.wait(id); inv.Status != "Success" {
		t.Errorf("%+v", inv)
	}
	h.until("the journal to be empty", h.idle)
	if h.final(id) != 1 {
		t.Errorf("%d results", h.final(id))
	}
}

func TestWaitingCommandsSurviveARestart(t *testing.T) {
	h := newAtWork(t, map[string]any{"Mds.CommandWorkersLimit": 1})
	second := h.shell("echo second")
	h.until("the second to wait", func() bool { return len(files(h.state("pending"))) == 1 })
	h.until("its acknowledgement", func() bool { return h.region.Count("AcknowledgeMessage") == 2 })
	h.agent.stop()
	if len(files(h.state("pending"))) != 1 || len(files(h.state("current"))) != 1 {
		t.Fatal("the journal changed at the stop")
	}
	h.must(h.open())
	h.start()
	for _, id := range []string{h.command, second} {
		if inv := h.wait(id); inv.Status != "Success" {
			t.Errorf("%+v", inv)
		}
	}
}

func TestAKilledWorkerFailsItsCommandAtOnce(t *testing.T) {
	h := newAtWork(t, nil)
	h.killWorker(h.command)
	inv := h.wait(h.command)
	if inv.Status != "Failed" || !strings.Contains(inv.Plugins[0].Output, "document process failed unexpectedly") {
		t.Errorf("%+v", inv)
	}
}

// The file from which a worker works is not synced: a power cut may leave it empty, while the worker's first word is on disk.
func TestAPowerCutThatTakesAWorkersFileLosesNoWordOfTheAnswer(t *testing.T) {
	h := newAtWork(t, nil)
	h.agent.stop()
	h.killWorker(h.command)
	h.must(os.WriteFile(filepath.Join(h.layout.Data(), h.id, "channels", h.command, "job.json"), nil, 0o600))
	h.start()
	inv := h.wait(h.command)
	if inv.Status != "Failed" || len(inv.Plugins) != 1 || !strings.Contains(inv.Plugins[0].Output, "document process failed unexpectedly") {
		t.Errorf("%+v", inv)
	}
	if h.runs() != 1 {
		t.Errorf("it ran %d times", h.runs())
	}
}

// killWorker kills the worker of a command with what it started.
func (h *host) killWorker(command string) {
	h.Helper()
	events, err := os.ReadFile(filepath.Join(h.layout.Data(), h.id, "channels", command, "events"))
	h.must(err)
	var e struct{ PID int }
	h.must(json.Unmarshal([]byte(strings.SplitN(string(events), "\n", 2)[0]), &e))
	h.must(syscall.Kill(e.PID, syscall.SIGKILL))
	h.Cleanup(func() { syscall.Kill(-e.PID, syscall.SIGKILL) })
}

func TestACancelSurvivesARestart(t *testing.T) {
	h := newAtWork(t, map[string]any{"Mds.CommandWorkersLimit": 1})
	second := h.shell("echo second")
	h.until("the second to wait", func() bool { return h.region.Count("AcknowledgeMessage") == 2 })
	h.agent.stop()
	// As if the agent had died between noting the cancel and answering.
	path := filepath.Join(h.state("pending"), second)
	text := strings.Replace(h.read(path), `"SsmSetup": {`, `"SsmSetup": { "cancelled": true,`, 1)
	h.must(os.WriteFile(path, []byte(text), 0o600))
	h.must(h.open())
	h.start()
	h.wait(h.command)
	if inv := h.wait(second); inv.Status != "Cancelled" && inv.Status != "Failed" || len(inv.StandardOutput) != 0 {
		t.Errorf("%+v", inv)
	}
}

// The original is silent (docs/protocol/runcommand.md, "Start-up with open commands").
func TestACommandThatIsGivenUpIsReported(t *testing.T) {
	h := newAtWork(t, nil)
	h.agent.stop()
	path := filepath.Join(h.state("current"), h.command)
	h.must(os.WriteFile(path, []byte(strings.Replace(h.read(path), `"RunCount": 0`, `"RunCount": 15`, 1)), 0o600))
	h.start()
	if inv := h.wait(h.command); inv.Status != "Failed" || !strings.Contains(inv.Trace, "gave this command up") {
		t.Errorf("%+v", inv)
	}
	h.until("the file to be put away", func() bool { return len(files(h.state("corrupt"))) == 1 && h.idle() })
	h.must(h.open())
}

func TestATornStateFileIsReported(t *testing.T) {
	h := newAtWork(t, map[string]any{"Mds.CommandWorkersLimit": 1})
	id := h.shell("echo never")
	h.until("its acknowledgement", func() bool { return h.region.Count("AcknowledgeMessage") == 2 })
	h.agent.stop()
	h.must(os.WriteFile(filepath.Join(h.state("pending"), id), []byte("{"), 0o600))
	h.must(h.open())
	h.start()
	if inv := h.wait(id); inv.Status != "Failed" {
		t.Errorf("%+v", inv)
	}
}

func TestADocumentGoesOnAfterAReboot(t *testing.T) {
	h := registered(t, nil)
	var asked atomic.Int32
	reboot := func(o *agent.Options) {
		o.Reboot = func(context.Context) error { asked.Add(1); return nil }
	}
	a := h.start(reboot)
	dir := t.TempDir()
	id := h.shell("echo run", "if [ -e "+dir+"/once ]; then exit 0; fi", "touch "+dir+"/once", "exit 194")
	h.until("a reboot to be asked for", func() bool { return asked.Load() == 1 })
	refused := h.shell("echo too late")
	h.until("its delivery", func() bool { return h.region.Count("GetMessages") >= 2 })
	a.stop()
	if len(files(h.state("current"))) != 1 || len(files(h.state("pending"))) != 0 {
		t.Fatalf("%v, %v", files(h.state("current")), files(h.state("pending")))
	}
	h.newBoot(id)
	text := h.read(filepath.Join(h.state("current"), id)) // by it an original agent would go on
	if !strings.Contains(text, `"DocumentStatus": "SuccessAndReboot"`) || !strings.Contains(text, `"status": "SuccessAndReboot"`) {
		t.Errorf("%s", text)
	}
	h.start(reboot)
	if inv := h.wait(id); inv.Status != "Success" || inv.StandardOutput != "run\nrun\n" {
		t.Errorf("%+v", inv)
	}
	if asked.Load() != 1 {
		t.Errorf("%d reboots", asked.Load())
	}
	h.region.Advance(11 * time.Second) // delivered again
	if inv := h.wait(refused); inv.Status != "Success" {
		t.Errorf("%+v", inv)
	}
}

// newBoot makes a command's files look as if the machine had restarted since.
func (h *host) newBoot(command string) {
	h.Helper()
	lock := filepath.Join(h.layout.Data(), h.id, "channels", command, "lock")
	h.until("the worker to be gone", func() bool { _, held, err := system.Holder(lock); return err == nil && !held })
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	h.must(err)
	events := filepath.Join(h.layout.Data(), h.id, "channels", command, "events")
	for _, path := range []string{filepath.Join(h.state("current"), command), events} {
		h.must(os.WriteFile(path, []byte(strings.ReplaceAll(h.read(path), strings.TrimSpace(string(boot)), "another-boot")), 0o600))
	}
}

// A machine that does not restart: the step has failed, and commands are taken again.
func TestARebootThatNeverComesFailsTheStep(t *testing.T) {
	h := registered(t, nil)
	h.start() // under a root of its own: it does not restart its host
	id := h.shell("exit 194")
	if inv := h.wait(id); inv.Status != "Failed" {
		t.Errorf("%+v", inv)
	}
	if inv := h.wait(h.shell("echo hello")); inv.Status != "Success" {
		t.Errorf("%+v", inv)
	}
}

func TestOldOutputsAreRemovedAtMostEveryQuarterOfAnHour(t *testing.T) {
	h := registered(t, nil)
	outputs := filepath.Join(h.layout.Data(), h.id, "document", "orchestration")
	make := func(name string, age time.Duration) {
		h.must(os.MkdirAll(filepath.Join(outputs, name), 0o700))
		at := time.Now().Add(-age)
		h.must(os.Chtimes(filepath.Join(outputs, name), at, at))
	}
	make("old", 337*time.Hour)
	make("young", 335*time.Hour)
	h.start()
	h.wait(h.shell("true"))
	h.until("a clean-up", func() bool { return !strings.Contains(strings.Join(files(outputs), " "), "old") })
	if !strings.Contains(strings.Join(files(outputs), " "), "young") {
		t.Error("the young one is gone")
	}
	make("older", 400*time.Hour)
	h.wait(h.shell("true"))
	h.until("the journal to be empty", h.idle)
	if !strings.Contains(strings.Join(files(outputs), " "), "older") {
		t.Error("cleaned up twice within 15 minutes")
	}
}

// A command that an original agent accepted is done by ours.
func TestACommandThatAnOriginalAcceptedIsDone(t *testing.T) {
	h := registered(t, nil)
	a := h.start()
	h.until("the journal's tree", func() bool { _, err := os.Stat(h.state("pending")); return err == nil })
	a.stop()
	const id = "2b196342-d7d4-436e-8f09-3883a1116ac3"
	mark := filepath.Join(t.TempDir(), "mark")
	job := `{"DocumentInformation":{"DocumentID":"` + id + `","CommandID":"` + id + `","InstanceID":"` + h.id + `","MessageID":"` +
		wire.MessageID(id, h.id) + `","RunID":"2026-03-04T05-06-07.000Z","CreatedDate":` + strconv.Quote(wire.ISOMillis(time.Now())) + `,
		"DocumentName":"AWS-RunShellScript","RunCount":0},"DocumentType":"` + journal.SendCommand + `","SchemaVersion":"2.2",
		"InstancePluginsInformation":[{"Configuration":{"Settings":null,"Properties":{"runCommand":["echo $((20+3)) > ` + mark + `"],
		"timeoutSeconds":"60"},"Preconditions":{"StringEquals":[{"InitialArgumentValue":"platformType","ResolvedArgumentValue":"platformType"},
		{"InitialArgumentValue":"Linux","ResolvedArgumentValue":"Linux"}]},"IsPreconditionEnabled":true,"PluginName":"aws:runShellScript",
		"PluginID":"runIt"},"Name":"aws:runShellScript","Result":{"status":""},"Id":"runIt"}],"UpstreamServiceName":"MessageDeliveryService"}`
	h.must(os.WriteFile(filepath.Join(h.state("pending"), id), []byte(job), 0o600))
	h.start()
	h.until("the script to run", func() bool { return h.read(mark) == "23\n" })
}
