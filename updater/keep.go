package updater

import (
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
	"github.com/ssm-setup/ssm-setup/updater/watch"
)

// Wake is the running agent's part: it starts "updater resume" where one is due, and says why. The agent calls it at its start
// and every minute. Who it is, it says in its pulse.
func Wake(l installer.Layout) (why string, err error) {
	own, err := installer.ReadPulse(l.Pulse())
	if err != nil || own.PID != os.Getpid() {
		return "", err
	}
	if why = Due(l, own); why == "" {
		return "", nil
	}
	return why, startResume(l)
}

// Due says why an updater has to go on; empty when none has to, when one is at work, or when this agent is on probation itself. One
// at work that makes no progress has to make room for any agent that asks.
func Due(l installer.Layout, own installer.Pulse) string {
	state, err := pointer.Read(l.Pointer())
	if err != nil {
		return ""
	}
	floor, floorErr := floorOf(l)
	onProbation := state.Probation && own.Sequence == state.Sequence && watch.Runs(own, state.Active, floor.String())
	led, err := ledger.Read(l)
	if _, busy := installer.UpdateLockHolder(l); busy {
		if err == nil && led.Open != nil && time.Since(led.Open.Moved) > idleMost {
			return "the updater at work makes no progress"
		}
		return ""
	}
	if onProbation {
		return ""
	}
	if err == nil {
		switch {
		case led.Open != nil:
			return "an update is open"
		case len(led.Owed) > 0:
			return "a reply is still to be sent"
		}
	}
	switch {
	case state.Probation:
		return "a version is on trial"
	case len(ledger.Waiting(l, time.Now())) > 0:
		return "a request waits"
	case exists(l.UpdateLock()): // not held, as was asked above
		return "an updater ended without giving the update lock back"
	case floorErr != nil:
		return ""
	}
	fell := floorFell(l.Pointer(), state, floor.String())
	if alignmentOf(state, floor.String(), own, true, fell, time.Now()) != (alignment{}) {
		return "another version runs than the active one"
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// startResume runs "updater resume" of this program's own version in a session of its own.
func startResume(l installer.Layout) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	return Program{Path: exe, Name: "updater"}.start(l, "resume")
}
