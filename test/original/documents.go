package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Words in a command that say what becomes of it here.
const (
	runs     = "runs-on"    // its worker ends when /root/go-on appears
	restarts = "for-reboot" // its first step has asked for a reboot
)

// asked is what a command's message says.
type asked struct {
	DocumentName string
	Parameters   map[string]any
}

func (a asked) value(name string) string {
	switch v := a.Parameters[name].(type) {
	case string:
		return v
	case []any:
		if len(v) > 0 {
			return fmt.Sprint(v[0])
		}
	}
	return ""
}

// receive takes the commands that have come.
func receive(id *identity.Identity) error {
	messages, err := id.Client(cloud.Service{Name: "ec2messages", Target: wire.TargetEC2Messages})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var out wire.GetMessagesOutput
	if err := messages.Call(ctx, "GetMessages", wire.GetMessagesInput{Destination: id.InstanceID, MessagesRequestId: host.NewUUID(),
		VisibilityTimeoutInSeconds: 10}, &out); err != nil {
		return err
	}
	for _, m := range out.Messages {
		if err := messages.Call(ctx, "AcknowledgeMessage", wire.AcknowledgeMessageInput{MessageId: m.MessageId}, nil); err != nil {
			return err
		}
		var a asked
		if err := json.Unmarshal([]byte(m.Payload), &a); err != nil {
			return err
		}
		log("INFO [MDS] " + m.MessageId + " " + a.DocumentName)
		switch text := a.value("commands"); {
		case strings.Contains(a.DocumentName, "UpdateSSMAgent"):
			err = update(id, m.MessageId, a)
		default:
			err = begin(id, m.MessageId, a, text)
		}
		if err != nil {
			log("INFO [MDS] " + err.Error())
		}
	}
	return nil
}

// begin has a document under way: a state file, and a worker.
func begin(id *identity.Identity, message string, a asked, text string) error {
	l, command := installer.At(""), wire.CommandID(message)
	job := &journal.Job{DocumentType: journal.SendCommand, SchemaVersion: "2.2", UpstreamServiceName: "MessageDeliveryService"}
	job.DocumentInformation = journal.Information{DocumentID: command, CommandID: command, InstanceID: id.InstanceID,
		MessageID:   message,
		CreatedDate: wire.ISOMillis(time.Now()), DocumentName: a.DocumentName, DocumentStatus: wire.InProgress}
	step := journal.Plugin{Name: "aws:runShellScript", Id: "runShellScript", Configuration: journal.Configuration{
		Properties: map[string]any{"runCommand": []any{"echo after >>/root/after; echo after"}}, IsPreconditionEnabled: true}}
	if strings.Contains(text, restarts) {
		job.DocumentInformation.DocumentStatus = wire.SuccessAndReboot
		result, err := json.Marshal(runner.Result{PluginID: step.Id, PluginName: step.Name, Status: wire.SuccessAndReboot,
			Start: time.Now(), End: time.Now()})
		if err != nil {
			return err
		}
		step.Result = result
	} else {
		worker := exec.Command("/usr/bin/ssm-document-worker", command)
		host.Detached(worker)
		if err := worker.Start(); err != nil {
			return err
		}
		go func() { _ = worker.Wait() }()
		job.DocumentInformation.ProcInfo.Pid = worker.Process.Pid
	}
	job.InstancePluginsInformation = []journal.Plugin{step}
	b, err := json.Marshal(job)
	if err != nil {
		return err
	}
	var members map[string]any
	if err := json.Unmarshal(b, &members); err != nil {
		return err
	}
	delete(members, "SsmSetup")
	if b, err = json.Marshal(members); err != nil {
		return err
	}
	dir := filepath.Join(l.Data(), id.InstanceID, "document", "state", "current")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	state := filepath.Join(dir, command)
	if err := host.WriteFile(state, b, 0o600); err != nil || !strings.Contains(text, restarts) {
		return err
	}
	asked := time.Now().Add(-time.Hour) // the updater waits for a reboot that was asked for just now, and here none comes
	return os.Chtimes(state, asked, asked)
}

// workDocument is the document worker: it runs on until a file appears, and reports into its channel.
func workDocument(command string) {
	l := installer.At("")
	nodes, _ := filepath.Glob(filepath.Join(l.Data(), "mi-*"))
	if len(nodes) == 0 {
		return
	}
	note("/root/begun", "begun\n")
	for {
		if _, err := os.Stat("/root/go-on"); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	dir := filepath.Join(nodes[0], "channels", command)
	r := runner.Result{PluginID: "runShellScript", PluginName: "aws:runShellScript", Status: wire.Success, Output: "through\n",
		StandardOutput: "through\n",
		Start:          time.Now(), End: time.Now()}
	content, _ := json.Marshal(map[string]any{"PluginResults": map[string]any{r.PluginID: r}, "Status": wire.Success,
		"LastPlugin": "", "NPlugins": 1})
	text, _ := json.Marshal(map[string]any{"version": "1.0", "type": "complete", "content": string(content)})
	_ = os.MkdirAll(filepath.Join(dir, "tmp"), 0o750)
	_ = os.WriteFile(filepath.Join(dir, "tmp", "x"), text, 0o600)
	_ = os.Rename(filepath.Join(dir, "tmp", "x"), filepath.Join(dir, "worker-20261129120000-000"))
	note("/root/begun", "ended\n")
}

func note(path, text string) {
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err == nil {
		_, _ = f.WriteString(text)
		_ = f.Close()
	}
}

// forget ends what this stand-in is told by a document: it sends no replies itself, but for those of a worker that ended while it runs.
func endedHere(id *identity.Identity) {
	current := filepath.Join(installer.At("").Data(), id.InstanceID, "document", "state", "current")
	entries, _ := os.ReadDir(current)
	for _, e := range entries {
		channel := filepath.Join(installer.At("").Data(), id.InstanceID, "channels", e.Name())
		done, _ := filepath.Glob(filepath.Join(channel, "worker-*"))
		if len(done) == 0 || slices.Contains(done, "") {
			continue
		}
		log("INFO [MDS] " + e.Name() + " ended")
		_ = os.Remove(filepath.Join(current, e.Name()))
	}
}
