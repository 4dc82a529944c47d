//go:build unix

package agent_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// left is a command of two steps as an original agent leaves it: a state file in current. Each step makes a mark when it runs.
type left struct {
	*host
	id    string
	marks string // folder
}

// newLeft is a host with such a command, which change completes.
func newLeft(t *testing.T, change func(*left, *journal.Job)) *left {
	t.Helper()
	l := &left{host: registered(t, nil), marks: t.TempDir()}
	l.must(l.region.PutDocument("two", `{"schemaVersion":"2.2","mainSteps":[
		{"action":"aws:runShellScript","name":"one","inputs":{"runCommand":["true"]}},
		{"action":"aws:runShellScript","name":"two","inputs":{"runCommand":["true"]}}]}`))
	var err error
	l.id, err = l.region.SendCommand("two", l.host.id, nil)
	l.must(err)
	job := &journal.Job{DocumentType: journal.SendCommand, SchemaVersion: "2.2", UpstreamServiceName: "MessageDeliveryService"}
	job.DocumentInformation = journal.Information{DocumentID: l.id, CommandID: l.id, InstanceID: l.host.id,
		MessageID: wire.MessageID(l.id, l.host.id), CreatedDate: wire.ISOMillis(time.Now()), DocumentName: "two", DocumentStatus: wire.InProgress}
	for _, step := range []string{"one", "two"} {
		job.InstancePluginsInformation = append(job.InstancePluginsInformation, journal.Plugin{Name: "aws:runShellScript", Id: step,
			Configuration: journal.Configuration{Properties: map[string]any{
				"runCommand": []any{"echo " + step + " by ours; touch " + filepath.Join(l.marks, step)}}, IsPreconditionEnabled: true}})
	}
	l.must(os.MkdirAll(l.state("current"), 0o700))
	change(l, job)
	l.write(job)
	return l
}

// write writes the state file as an original does: without the members of ours.
func (l *left) write(job *journal.Job) {
	l.Helper()
	text, err := json.Marshal(job)
	l.must(err)
	var members map[string]any
	l.must(json.Unmarshal(text, &members))
	delete(members, "SsmSetup")
	text, err = json.Marshal(members)
	l.must(err)
	l.must(os.WriteFile(filepath.Join(l.state("current"), l.id), text, 0o600))
}

func (l *left) channel() string { return filepath.Join(l.layout.Data(), l.host.id, "channels", l.id) }

// says puts a datagram of the original's worker into the channel. last is the step it is about, "" for the end.
func (l *left) says(n int, last, status string, outputs map[string]string) {
	l.Helper()
	results := map[string]any{}
	for step, text := range outputs {
		results[step] = runner.Result{PluginID: step, PluginName: "aws:runShellScript", Status: wire.Success, Output: text, StandardOutput: text,
			Start: time.Now(), End: time.Now()}
	}
	kind := "reply"
	if last == "" {
		kind = "complete"
	}
	content, err := json.Marshal(map[string]any{"PluginResults": results, "Status": status, "LastPlugin": last, "NPlugins": 2})
	l.must(err)
	text, err := json.Marshal(map[string]any{"version": "1.0", "type": kind, "content": string(content)})
	l.must(err)
	l.must(os.MkdirAll(filepath.Join(l.channel(), "tmp"), 0o750))
	l.must(os.WriteFile(filepath.Join(l.channel(), "tmp", "x"), text, 0o600))
	l.must(os.Rename(filepath.Join(l.channel(), "tmp", "x"), filepath.Join(l.channel(), fmt.Sprintf("worker-20261129120000-%03d", n))))
}

// worker is a process that looks like the original's worker of the command, until it is ended.
func (l *left) worker() (pid int, end func()) {
	l.Helper()
	path := filepath.Join(l.TempDir(), "ssm-document-worker")
	l.must(os.WriteFile(path, []byte("#!/bin/sh\nread x\n"), 0o700))
	cmd := exec.Command(path, l.id)
	in, err := cmd.StdinPipe()
	l.must(err)
	l.must(cmd.Start())
	end = func() { in.Close(); _ = cmd.Wait() }
	l.Cleanup(end)
	return cmd.Process.Pid, end
}

func (l *left) ran() string { return strings.Join(files(l.marks), " ") }

func printed(inv []wire.Reply, step string) (text string) {
	for _, r := range inv {
		if s, ok := r.RuntimeStatus[step]; ok {
			text = s.StandardOutput
		}
	}
	return text
}

func TestADocumentThatTheOriginalsWorkerHasIsWaitedForAndNotRunAgain(t *testing.T) {
	var end func()
	l := newLeft(t, func(l *left, job *journal.Job) {
		job.DocumentInformation.ProcInfo.Pid, end = l.worker()
		l.says(0, "one", wire.InProgress, map[string]string{"one": "by the original\n"})
	})
	a := l.start()
	l.until("the first step to be told", func() bool { return printed(l.replies(l.id), "one") == "by the original\n" })
	a.stop() // it survives our restart, too
	l.start()
	l.says(1, "two", wire.InProgress, map[string]string{"one": "by the original\n", "two": "too\n"})
	l.says(2, "", wire.Success, map[string]string{"one": "by the original\n", "two": "too\n"})
	if inv := l.wait(l.id); inv.Status != "Success" || printed(l.replies(l.id), "two") != "too\n" || l.ran() != "" {
		t.Errorf("%+v, ran here: %q", inv, l.ran())
	}
	end()
	l.until("the journal to be empty", l.idle)
	if l.final(l.id) != 1 {
		t.Errorf("%+v", l.replies(l.id))
	}
}

func TestTheResultsOfAnOriginalsWorkerThatEndedAreTold(t *testing.T) {
	l := newLeft(t, func(l *left, job *journal.Job) {
		pid, end := l.worker()
		job.DocumentInformation.ProcInfo.Pid = pid
		end()
		l.says(0, "", wire.Success, map[string]string{"one": "a\n", "two": "b\n"})
	})
	l.start()
	if inv := l.wait(l.id); inv.Status != "Success" || l.ran() != "" {
		t.Errorf("%+v, ran here: %q", inv, l.ran())
	}
}

// docs/protocol/runcommand.md, "Failure handling of workers".
func TestADocumentWhoseOriginalWorkerDiedFailsAndIsNotRunAgain(t *testing.T) {
	for what, change := range map[string]func(*left, *journal.Job){
		"its process is gone": func(l *left, job *journal.Job) {
			pid, end := l.worker()
			job.DocumentInformation.ProcInfo.Pid = pid
			end()
		},
		"its process id is another's by now": func(_ *left, job *journal.Job) { job.DocumentInformation.ProcInfo.Pid = os.Getpid() },
		"its process was not noted":          func(l *left, _ *journal.Job) { l.must(os.MkdirAll(filepath.Join(l.channel(), "tmp"), 0o750)) },
	} {
		t.Run(what, func(t *testing.T) {
			l := newLeft(t, change)
			l.start()
			inv := l.wait(l.id)
			if inv.Status != "Failed" || !strings.Contains(inv.Plugins[0].Output, "document process failed unexpectedly") || l.ran() != "" {
				t.Errorf("%+v, ran here: %q", inv, l.ran())
			}
		})
	}
}

func TestADocumentThatWaitsForTheOriginalsRebootGoesOnAfterItsFinishedSteps(t *testing.T) {
	l := newLeft(t, func(l *left, job *journal.Job) {
		job.DocumentInformation.ProcInfo.Pid = 1 << 21
		job.DocumentInformation.DocumentStatus = wire.SuccessAndReboot
		for i, status := range []string{wire.Success, wire.SuccessAndReboot} {
			at := time.Now().Add(-10 * 365 * 24 * time.Hour)
			r := runner.Result{PluginID: job.InstancePluginsInformation[i].Id, PluginName: "aws:runShellScript", Status: status, Start: at, End: at}
			var err error
			job.InstancePluginsInformation[i].Result, err = json.Marshal(r)
			l.must(err)
		}
		l.says(0, "", wire.SuccessAndReboot, nil)
	})
	l.start()
	if inv := l.wait(l.id); inv.Status != "Success" || l.ran() != "two" || printed(l.replies(l.id), "two") != "two by ours\n" {
		t.Errorf("%+v, ran here: %q", inv, l.ran())
	}
}

func TestACancelReachesTheOriginalsWorker(t *testing.T) {
	l := newLeft(t, func(l *left, job *journal.Job) { job.DocumentInformation.ProcInfo.Pid, _ = l.worker() })
	l.start()
	l.until("its delivery", func() bool { return l.region.Count("AcknowledgeMessage") == 1 })
	l.must(l.region.Cancel(l.id))
	l.until("the order to stop", func() bool {
		return strings.Contains(strings.Join(files(l.channel()), " "), "master-")
	})
	l.says(0, "", wire.Cancelled, map[string]string{"one": ""})
	if inv := l.wait(l.id); inv.Status != "Cancelled" {
		t.Errorf("%+v", inv)
	}
}

// What an original agent finds in the place of ours: it would call a document dead whose process it does not know.
func TestAnOriginalFindsTheProcessOfADocumentAndItsEnd(t *testing.T) {
	h := newAtWork(t, nil)
	h.agent.stop()
	var job journal.Job
	h.must(json.Unmarshal([]byte(h.read(filepath.Join(h.state("current"), h.command))), &job))
	if pids := h.workers(); !slices.Contains(pids, job.DocumentInformation.ProcInfo.Pid) {
		t.Errorf("%+v, the worker is %v", job.DocumentInformation.ProcInfo, pids)
	}
	h.must(h.open())
	channel := filepath.Join(h.layout.Data(), h.id, "channels", h.command)
	var end struct{ Version, Type, Content string }
	h.until("the end", func() bool {
		for _, name := range files(channel) {
			if strings.HasPrefix(name, "worker-") {
				return json.Unmarshal([]byte(h.read(filepath.Join(channel, name))), &end) == nil
			}
		}
		return false
	})
	var result struct {
		Status, LastPlugin string
		PluginResults      map[string]runner.Result
	}
	h.must(json.Unmarshal([]byte(end.Content), &result))
	if end.Type != "complete" || end.Version != "1.0" || result.Status != wire.Success || len(result.PluginResults) != 1 {
		t.Errorf("%+v", end)
	}
	for _, r := range result.PluginResults {
		if r.StandardOutput != "end\n" {
			t.Errorf("%+v", r)
		}
	}
	h.start()
	if inv := h.wait(h.command); inv.Status != "Success" {
		t.Errorf("%+v", inv)
	}
}
