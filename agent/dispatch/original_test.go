package dispatch

import (
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// The original asks for the reboot a minute ahead: an agent of ours that is started meanwhile must not run the step before it.
func TestAStepThatWaitsForTheOriginalsRebootDoesNotRunBeforeIt(t *testing.T) {
	asked := time.Now()
	for booted, waits := range map[time.Time]bool{asked.Add(-time.Hour): true, asked.Add(time.Minute): false, {}: false} {
		j, err := journal.Open(t.TempDir(), someNode, "orchestration", "")
		if err != nil {
			t.Fatal(err)
		}
		x := &executor{journal: j, rebooter: newRebooter("this", nil, time.Now, slog.New(slog.DiscardHandler)),
			booted: func() time.Time { return booted }}
		c := &command{Job: someJob(numbered(1).ID), resumed: true}
		c.InstancePluginsInformation[0].Result, err = json.Marshal(runner.Result{Status: wire.SuccessAndReboot, End: asked})
		if err != nil {
			t.Fatal(err)
		}
		x.adoptReboot(c)
		if got := c.SsmSetup.RebootFrom == "this"; got != waits {
			t.Errorf("booted %v, asked %v: waits: %v", booted, asked, got)
		}
	}
}

// The region takes one reply of a number only.
func TestADocumentThatGoesOnTellsNothingUnderANumberThatWasTold(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(dir, someNode, "orchestration", "")
	if err != nil {
		t.Fatal(err)
	}
	x := &executor{journal: j, log: slog.New(slog.DiscardHandler)}
	c := &command{Job: someJob(numbered(1).ID), resumed: true}
	c.SsmSetup.Told = 4
	c.InstancePluginsInformation[0].Result = json.RawMessage(`{"status":"Success"}`)
	spec := runner.Spec{Dir: filepath.Join(dir, "channel")}
	if err := x.goOn(c, &spec); err != nil {
		t.Fatal(err)
	}
	if spec.After != 6 || c.SsmSetup.Told != 6 || !runner.Prepared(spec.Dir) {
		t.Errorf("%+v, told %d", spec, c.SsmSetup.Told)
	}
}
