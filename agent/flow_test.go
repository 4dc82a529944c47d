package agent_test

import (
	"testing"
)

// Spec runcommand 16, behaviours 12 and 92: a command goes through, and leaves no trace in the journal.
func TestCommandRuns(t *testing.T) {
	h := registered(t, nil)
	h.start()
	inv := h.wait(h.shell("echo hello"))
	if inv.Status != "Success" || inv.StandardOutput != "hello\n" || inv.Code != 0 {
		t.Errorf("%+v", inv)
	}
	h.until("the journal to be empty", func() bool {
		return len(files(h.state("pending")))+len(files(h.state("current"))) == 0
	})
}
