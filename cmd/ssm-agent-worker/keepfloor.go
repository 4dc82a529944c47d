package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/installer/store"
)

// keepFloor is what a package's script asks before it replaces the floor: the old version keeps itself in the store as the
// previous one, so that a broken package is survived too. While an update is under way nothing is done: the ring holds something
// to fall back to.
func keepFloor(layout installer.Layout) int {
	kept, err := keep(layout)
	switch {
	case errors.Is(err, installer.ErrBusy):
		fmt.Println("an update is under way; nothing was kept")
	case err != nil:
		fmt.Fprintf(os.Stderr, "error: cannot keep the floor: %v\n", err)
		return 1
	case kept != "":
		fmt.Println("kept " + kept)
	}
	return 0
}

func keep(layout installer.Layout) (version string, err error) {
	lock, err := installer.LockUpdate(layout)
	if err != nil {
		return "", err
	}
	defer lock.Release()
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
