package launcher_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// A release that printed without end filled a disk with 66 GB in four minutes.
func TestAReleaseThatFloodsFillsNoDiskAndIsNotHeldUp(t *testing.T) {
	m := newMachineAlone(t)
	m.act(pointer.Floor, "flood")
	m.ok(os.MkdirAll(m.Logs(), 0o755))
	m.ok(os.WriteFile(m.LaunchLog(), bytes.Repeat([]byte("x"), 1<<20-100), 0o600)) // nearly full
	pid, err := launcher.Detach(m.Paths)
	m.ok(err)
	m.await("flooded floor", 1)
	m.until("a line that tells of it", func() bool { return strings.Contains(m.read(m.LaunchLog()), "prints too much") })
	m.stays(pid)
	m.ok(launcher.End(m.Paths, pid))
	m.none(pid)
	for _, log := range []string{m.LaunchLog(), m.LaunchLog() + ".1"} {
		info, err := os.Stat(log)
		m.ok(err)
		if info.Size() > 1<<20 {
			t.Errorf("%s has %d bytes", log, info.Size())
		}
	}
	if now := m.read(m.LaunchLog()); !strings.Contains(now, "stopped") || len(now) > 128<<10 {
		t.Errorf("%d bytes in the log, the launcher's own last line among them: %t", len(now), strings.Contains(now, "stopped"))
	}
}

func TestWhatAReleaseSaysWhenItBreaksIsInTheLog(t *testing.T) {
	m := newMachineAlone(t)
	m.act(pointer.Floor, "trace")
	pid, err := launcher.Detach(m.Paths)
	m.ok(err)
	m.until("the whole trace", func() bool {
		text, _ := os.ReadFile(m.LaunchLog())
		log := string(text)
		return strings.Count(log, "goroutine ") >= 500 && strings.Contains(log, "goroutine 499\n")
	})
	if running, ok := launcher.Running(m.Paths); ok {
		m.ok(launcher.End(m.Paths, running))
	}
	m.gone(pid)
}
