package local_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/local"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// killedNode is what the killed region's process leaves for the next.
type killedNode struct {
	ID      string
	Command string
	Token   wire.RequestManagedInstanceRoleTokenOutput
}

// TestMailAndCommandsSurviveAKill starts a region in a process of its own, which kills itself after the last answer.
func TestMailAndCommandsSurviveAKill(t *testing.T) {
	if dir := os.Getenv("SSM_KILLED_REGION"); dir != "" {
		liveAndDie(t, dir)
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestMailAndCommandsSurviveAKill$")
	cmd.Env = append(os.Environ(), "SSM_KILLED_REGION="+dir)
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Fatalf("the region wasn't killed: %s", out)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "left"))
	must(t, err)
	var left killedNode
	must(t, json.Unmarshal(raw, &left))
	r, err := local.Open(local.Options{Data: filepath.Join(dir, "data"), NoSync: true})
	must(t, err)
	defer r.Close()
	n := &agentNode{t: t, region: r, id: left.ID, token: left.Token}
	if got := n.poll(); len(got) != 1 || wire.CommandID(got[0].MessageId) != left.Command {
		t.Errorf("after the kill: %v", got)
	}
	must(t, r.PutDocument("Greeting", `{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runShellScript","name":"other"}]}`))
}

func liveAndDie(t *testing.T, dir string) {
	r, err := local.Open(local.Options{Data: filepath.Join(dir, "data"), NoSync: true})
	must(t, err)
	n := newNode(t, r)
	must(t, r.PutDocument("Greeting", greeting))
	id := sendShell(t, r, n, "echo")
	raw, err := json.Marshal(killedNode{n.id, id, n.token})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "left"), raw, 0o600))
	self, err := os.FindProcess(os.Getpid())
	must(t, err)
	must(t, self.Kill())
	select {}
}
