package runner_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

func readFile(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// golden compares a reply with a file of the form it goes out in, spread over lines for the reader.
func golden(t *testing.T, name string, reply wire.Reply) {
	t.Helper()
	var want bytes.Buffer
	if err := json.Compact(&want, []byte(readFile(t, "testdata", name))); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(reply)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s:\ngot  %s\nwant %s", name, got, want.Bytes())
	}
}

func TestRepliesHaveTheirFixedForm(t *testing.T) {
	at := time.Date(2025, 3, 4, 5, 6, 7, 89_000_000, time.UTC)
	agent := wire.AgentInfo{Lang: "en-US", Name: "amazon-ssm-agent", OS: "linux", OSVersion: "1", Version: "9.1.0.0"}
	open := true
	head := runner.Head(agent, at)
	head.AbleToOpenMGSConnection = &open
	result := runner.Result{PluginID: "greet", PluginName: "aws:runShellScript", Status: wire.Success, Output: "a < b\n",
		Start: at.Add(-time.Second), End: at, StandardOutput: "a < b\n"}
	failed := runner.Result{PluginID: "greet", PluginName: "aws:unknown", Status: wire.Failed, Error: "it is unknown", Start: at, End: at}

	golden(t, "step.json", runner.EventReply(head, runner.Event{Kind: runner.Step, Result: &result, Counts: map[string]int{wire.Success: 1}}))
	golden(
		t,
		"failed.json",
		runner.EventReply(head, runner.Event{Kind: runner.Done, Status: wire.Failed, Result: &failed, Counts: map[string]int{wire.Failed: 1}}),
	)
	golden(
		t,
		"done.json",
		runner.EventReply(head, runner.Event{Kind: runner.Done, Status: wire.Success, Counts: map[string]int{wire.Success: 2}}),
	)
}
