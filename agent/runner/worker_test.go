package runner_test

import (
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

func TestOneStepThroughAWorker(t *testing.T) {
	w, _ := start(t, shell(t, map[string]any{"runCommand": []any{"echo hello"}}))
	events := all(t, w)
	if len(events) != 3 || events[1].Kind != runner.Step || events[2].Kind != runner.Done {
		t.Fatalf("events %+v", events)
	}
	if r := events[1].Result; r.StandardOutput != "hello\n" || r.Status != wire.Success || r.Code != 0 {
		t.Errorf("result %+v", r)
	}
	if events[2].Status != wire.Success || events[2].Result == nil {
		t.Errorf("end %+v", events[2])
	}
}

func BenchmarkCommand(b *testing.B) {
	_ = b
}
