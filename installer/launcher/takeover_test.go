package launcher_test

import (
	"fmt"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

// A confirmation moves the pointer's sequence under the agent that runs: its end is a death all the same.
func TestAnEndAfterAConfirmationIsADeath(t *testing.T) {
	m := newMachine(t)
	s := m.choose(m.have("9.2.0.0", "live"), true)
	m.launch()
	pid := m.await(fmt.Sprintf("start 9.2.0.0 %d", s.Sequence), 1)
	confirmed, err := m.store().Confirm(s.Sequence)
	m.ok(err)
	m.kill(pid)
	m.await(fmt.Sprintf("start 9.2.0.0 %d", confirmed.Sequence), 1)
	m.until("word of the death", func() bool {
		d, err := launcher.ReadDeath(m.Paths)
		return err == nil && d.PID == pid && d.Version == "9.2.0.0" && d.Sequence == confirmed.Sequence
	})
}
