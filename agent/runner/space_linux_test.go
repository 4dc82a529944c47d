package runner_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// A script that fills the disk to its last byte does not cost its own result; the next step says what is the matter.
func TestAFullDiskDoesNotCostAStepItsResult(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small disk needs root, as which CI runs this, too")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "mode=0700,size=8m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	fill := filepath.Join(disk, "fill")
	j := job(t, `{"schemaVersion":"2.2","mainSteps":[
		{"action":"aws:runShellScript","name":"one","inputs":{"runCommand":[
		"cat /dev/zero > `+fill+` 2>/dev/null","head -c 20000 /dev/zero | tr '\\000' x"]}},
		{"action":"aws:runShellScript","name":"two","inputs":{"runCommand":["echo hello"]}}]}`, nil)
	j.Directory = filepath.Join(disk, "outputs")
	dir := filepath.Join(disk, "job")
	if err := runner.Prepare(dir, j); err != nil {
		t.Fatal(err)
	}
	w, err := runner.Start(context.Background(), spec(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	events := all(t, w)
	if kinds(events) != "started step step done" {
		t.Fatalf("%+v", events)
	}
	if r := events[1].Result; r.Status != wire.Success || r.StandardOutput != strings.Repeat("x", 20000) {
		t.Errorf("%s %.100s", r.Status, r.StandardOutput)
	}
	if r := events[2].Result; r.Status != wire.Failed || !strings.Contains(r.Output+r.Error, "no space left on device") {
		t.Errorf("%+v", r)
	}
}
