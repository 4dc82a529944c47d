package updater

import (
	"context"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// EndPending ends the updater that is at work on an update which has not switched, and waits until its lock is free; a part of its download
// stays. It tells whether there was one. The update stays open in the ledger, for the next updater to close.
func EndPending(l installer.Layout) (ended bool, err error) {
	led, err := ledger.Read(l)
	if err != nil {
		return false, nil //nolint:nilerr // a record that cannot be read says nothing of the holder
	}
	boot, _ := host.BootID()
	pid, held := installer.UpdateLockHolder(l)
	if !led.Open.Pending() || !held || pid != led.Open.PID || pid == os.Getpid() || led.BootID != "" && boot != "" && led.BootID != boot {
		return false, nil
	}
	if err = host.KillGroup(pid); err != nil { // the group has the self-test of a staged version
		return true, err
	}
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill() // where it leads no group
	}
	for began := time.Now(); held && time.Since(began) < passing; { // its last thread holds it
		time.Sleep(10 * time.Millisecond)
		now, still := installer.UpdateLockHolder(l)
		held = still && now == pid
	}
	return true, nil
}

// takeOver takes the update lock for a newer request from an updater that has not switched. Nil without an error where there is no
// such updater, or where the request is one that waits: a scheduled one, and a command that was taken before.
func (e *Engine) takeOver(r ledger.Request) (*installer.UpdateLock, error) {
	led, err := ledger.Read(e.Layout)
	if err != nil || !r.Explicit() || led.HasAccepted(r) {
		return nil, nil //nolint:nilerr // a record that cannot be read says nothing of the holder
	}
	ended, err := EndPending(e.Layout)
	if err != nil || !ended {
		return nil, err
	}
	e.Log.Warn("ended an updater that had not switched, for a newer request", "pid", led.Open.PID, "id", led.Open.ID, "newer", r.ID)
	return installer.LockUpdate(e.Layout)
}

// giveWay closes an open update that has not switched, in favour of a newer request.
func (e *Engine) giveWay(ctx context.Context, b *ledger.File) error {
	w := e.newWork(b)
	return w.undone(ctx, &failure{code: codeUnexpected, fault: fault.Superseded,
		text: "it gave way to a newer request before anything was changed"})
}
