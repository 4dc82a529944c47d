package host_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

func TestADiskIsTriedAndLeftAsItWas(t *testing.T) {
	dir := t.TempDir()
	if err := host.TryDisk(dir); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := host.TryDisk(filepath.Join(dir, "none")); err == nil || host.IsDiskFault(err) {
		t.Errorf("a missing folder is no fault of the disk: %v", err)
	}
}

func TestAFullDiskIsTheMachinesFault(t *testing.T) {
	full := fmt.Errorf("write: %w", &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	if !host.IsDiskFault(full) && filepath.Separator == '/' {
		t.Error("a full disk is not recognized")
	}
	for _, err := range []error{nil, os.ErrNotExist, os.ErrPermission} {
		if host.IsDiskFault(err) {
			t.Errorf("%v is taken for a fault of the disk", err)
		}
	}
}
