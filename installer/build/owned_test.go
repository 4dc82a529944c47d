package build

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// leftover makes a folder as another process of ours would, with a file in it.
func leftover(t *testing.T, name string, age time.Duration) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(name, "go-build1"), 0o755); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-age)
	if err := os.Chtimes(name, at, at); err != nil {
		t.Fatal(err)
	}
	return name
}

// The next build removes what a killed one left, and nothing else: not what a living process holds, has just made, or what has
// another name.
func TestTheNextBuildRemovesWhatAKilledOneLeft(t *testing.T) {
	parent := t.TempDir()
	dead := exec.Command(os.Args[0], "-test.run=^$")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	name := func(pid int, end string) string { return filepath.Join(parent, fmt.Sprintf(".making-%d-%s", pid, end)) }
	gone := []string{leftover(t, name(dead.Process.Pid, "1"), 0), leftover(t, name(os.Getppid(), "2"), time.Hour),
		leftover(t, filepath.Join(parent, ".making-123"), 48*time.Hour)}
	stay := []string{leftover(t, name(os.Getpid(), "3"), time.Hour), leftover(t, name(os.Getppid(), "4"), 0),
		leftover(t, filepath.Join(parent, ".making-124"), time.Hour), leftover(t, filepath.Join(parent, "9.1.0.0"), 48*time.Hour)}
	own, err := newOwned(parent, ".making-")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range gone {
		if exists(dir) {
			t.Errorf("%s is still there", dir)
		}
	}
	for _, dir := range append(stay, own.dir) {
		if !exists(dir) {
			t.Errorf("%s is gone", dir)
		}
	}
	own.remove()
	if exists(own.dir) {
		t.Error("a build leaves its own folder")
	}
}
