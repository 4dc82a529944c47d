package main

import (
	"errors"
	"os"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/installer/store"
)

// packagePrepare makes what an installation has from the beginning: the folder of data, which only administrators may read,
// and the pointer's slots, so that the first update finds them. What is there stays. A pointer that an update is about to write
// has its slots.
func packagePrepare(l installer.Layout) error {
	if err := os.MkdirAll(l.Data(), 0o755); err != nil {
		return err
	}
	if l.System() {
		if err := errors.Join(harden(l), hideOthers()); err != nil {
			return err
		}
	}
	lock, err := installer.LockUpdate(l)
	if errors.Is(err, installer.ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(store.Store{Paths: l.Pointer()}.MakeSlots(stamp.Version()), lock.Release())
}
