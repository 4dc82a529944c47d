//go:build unix

package build

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// A process that lives and holds its folder keeps it, however old; killed, it loses it at the next build.
func TestAFolderIsKeptAsLongAsItsProcessLives(t *testing.T) {
	if parent := os.Getenv("TEST_OWNED_PARENT"); parent != "" {
		o, err := newOwned(parent, ".making-")
		if err != nil {
			t.Fatal(err)
		}
		defer o.remove()
		time.Sleep(5 * time.Minute) // it is killed long before
		return
	}
	parent := t.TempDir()
	other := exec.Command(os.Args[0], "-test.run=^TestAFolderIsKeptAsLongAsItsProcessLives$")
	other.Env = append(os.Environ(), "TEST_OWNED_PARENT="+parent)
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	var dir string
	for end := time.Now().Add(time.Minute); dir == "" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if found, _ := filepath.Glob(filepath.Join(parent, ".making-*")); len(found) == 1 {
			if o, err := os.Lstat(found[0]); err == nil && !abandoned(found[0], ".making-", o, time.Now().Add(time.Hour)) {
				dir = found[0] // it holds the lock
			}
		}
	}
	if dir == "" {
		t.Fatal("the folder of a living process counts as abandoned")
	}
	sweep(parent, ".making-", time.Now().Add(48*time.Hour))
	if !exists(dir) {
		t.Fatal("the folder of a living process was removed")
	}
	_ = other.Process.Kill()
	_ = other.Wait()
	sweep(parent, ".making-", time.Now())
	if exists(dir) {
		t.Error("the folder of a killed process stays")
	}
}

// go is asked to end before it is killed: it removes its own folders then.
func TestGoIsAskedToEndWhenABuildIsGivenUp(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", `trap 'rm "$1/begun"; exit 3' INT; : >"$1/begun"; while :; do sleep 0.05; done`, "sh", dir)
	asked(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	begun := filepath.Join(dir, "begun")
	for end := time.Now().Add(time.Minute); !exists(begun) && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	cancel()
	_ = cmd.Wait()
	if exists(begun) || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("it was not asked: %s", cmd.ProcessState)
	}
}
