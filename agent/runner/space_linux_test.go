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

// smallDisk mounts a file system of its own, of so many bytes as size says.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting a small disk needs root, as which CI runs this, too")
	}
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	return disk
}

// A script that fills the disk to its last byte does not cost its own result; the next step says what is the matter.
func TestAFullDiskDoesNotCostAStepItsResult(t *testing.T) {
	disk := smallDisk(t, "8m")
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

// The agent writes its state files on the same disk.
func TestSpaceKeptForResultsLeavesSpaceToOthers(t *testing.T) {
	disk := smallDisk(t, "1m")
	dir, others := filepath.Join(disk, "job"), filepath.Join(disk, "others")
	steps := strings.Repeat(`,{"action":"aws:runShellScript","name":"one","inputs":{"runCommand":["true"]}}`, 40)[1:]
	j := job(t, `{"schemaVersion":"2.2","mainSteps":[`+steps+`]}`, nil)
	j.Directory = filepath.Join(disk, "outputs")
	if err := runner.Prepare(dir, j); err != nil {
		t.Fatal(err)
	}
	w, err := runner.Start(context.Background(), spec(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	ended, written, failed := make(chan struct{}), make(chan int), error(nil)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-ended:
				written <- n
				return
			default:
			}
			if err := os.WriteFile(others, make([]byte, 5000), 0o600); err != nil {
				failed = err
			}
		}
	}()
	events := all(t, w)
	close(ended)
	if n := <-written; failed != nil || n == 0 || len(events) != 42 {
		t.Errorf("%v; %d written, %d events", failed, n, len(events))
	}
}
