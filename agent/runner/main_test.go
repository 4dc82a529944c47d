package runner_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/agent/runner"
)

// workerName is what the test binary is called as when it is to be the worker process.
const workerName = "ssm-document-worker"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == workerName {
		if behave := behaviours[os.Getenv(behaviourVariable)]; behave != nil {
			behave(os.Args[1])
		}
		os.Exit(runner.Main(os.Args[1], plugins.Table(plugins.Ports{}), output.Table(output.Region{})))
	}
	if dir := os.Getenv(briefAgent); dir != "" {
		os.Exit(startAndLeave(dir))
	}
	os.Exit(m.Run())
}

const (
	commandID  = "2b196342-d7d4-436e-8f09-3883a1116ac3"
	instanceID = "mi-0123456789abcdef0"
)

// job makes a job of a document's JSON.
func job(t *testing.T, content string, parameters map[string]any) runner.Assignment {
	t.Helper()
	doc, err := document.Parse([]byte(content), document.Options{Parameters: parameters})
	if err != nil {
		t.Fatal(err)
	}
	return runner.Assignment{
		MessageID: "aws.ssm." + commandID + "." + instanceID, CommandID: commandID, Destination: instanceID,
		DocumentName: "AWS-RunShellScript", Created: time.Now(), Schema: doc.Schema, Steps: doc.Steps,
		Directory: filepath.Join(t.TempDir(), commandID),
		Machine:   plugins.Machine{InstanceID: instanceID, Region: "local"},
	}
}

// shell is a 2.2 document of one step.
func shell(t *testing.T, inputs map[string]any) runner.Assignment {
	t.Helper()
	step := map[string]any{"action": "aws:runShellScript", "name": "runIt", "inputs": inputs}
	content, err := json.Marshal(map[string]any{"schemaVersion": "2.2", "mainSteps": []any{step}})
	if err != nil {
		t.Fatal(err)
	}
	return job(t, string(content), nil)
}

func spec(t *testing.T, dir string) runner.Spec {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return runner.Spec{Dir: dir, Executable: self, Argv0: "/usr/bin/" + workerName}
}

// start prepares a job in a fresh folder and starts its worker.
func start(t *testing.T, j runner.Assignment) (*runner.Worker, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "job")
	if err := runner.Prepare(dir, j); err != nil {
		t.Fatal(err)
	}
	w, err := runner.Start(context.Background(), spec(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { all(t, w) }) // a worker at work would make its folder again
	return w, dir
}

// all reads the events to the end.
func all(t *testing.T, w *runner.Worker) []runner.Event {
	t.Helper()
	var events []runner.Event
	limit := time.After(2 * time.Minute)
	for {
		select {
		case e, open := <-w.Events():
			if !open {
				return events
			}
			events = append(events, e)
		case <-limit:
			t.Fatalf("no end after %v", events)
		}
	}
}
