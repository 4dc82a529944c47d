package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/installer/store"
)

// keepFloor is what a package's script asks before it replaces the floor: the old version keeps itself in the store as the
// previous one, so that a broken package is survived too. While an update is under way nothing is done: the ring holds something
// to fall back to.
func keepFloor(layout installer.Layout) int {
	kept, err := keepFloorVersion(layout)
	switch {
	case errors.Is(err, installer.ErrBusy):
		fmt.Println("an update is under way; nothing was kept")
	case err != nil:
		fmt.Fprintf(os.Stderr, "error: cannot keep the present package version: %v\n", err)
		return 1
	case kept != "":
		fmt.Println("kept " + kept)
	}
	return 0
}

func keepFloorVersion(layout installer.Layout) (version string, err error) {
	lock, err := lockToKeep(layout)
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Release() }()
	f, err := os.Open(layout.Worker())
	if err != nil {
		return "", err
	}
	defer f.Close()
	floor, err := stamp.Find(f)
	if err != nil {
		return "", err
	}
	kept, err := store.Store{Paths: layout.Pointer()}.KeepFloor(floor)
	return kept.Version, err
}

// keepPatience is how long keep-floor waits for an updater at work; a package's script gives it a minute.
const keepPatience = 30 * time.Second

// lockToKeep takes the update lock, and waits for an updater of ours that holds it while the floor still is what runs by choice: it
// may only be sending an answer, or find nothing to do, and then the ring would hold nothing to fall back to.
func lockToKeep(l installer.Layout) (*installer.UpdateLock, error) {
	return installer.LockUpdateWhile(l, keepPatience, func() bool { return mayLeaveTheFloor(l) })
}

// mayLeaveTheFloor reports whether the holder of the update lock is an updater of ours and has not written the pointer. An
// installation by ssm-setup, which runs the package's scripts itself, is not waited for.
func mayLeaveTheFloor(l installer.Layout) bool {
	if pid, held := installer.UpdateLockHolder(l); held {
		exe, err := host.ProcessExecutable(pid)
		if err != nil || !l.Pointer().Owns(exe) {
			return false
		}
	}
	state, err := pointer.Read(l.Pointer())
	return err != nil || state.Active.IsFloor() && !state.Probation
}
