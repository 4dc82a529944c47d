package store_test

import (
	"os"
	"os/exec"
	"testing"
)

// A version that a process still runs stays: document workers outlive updates. (Only where the system tells what runs.)
func TestWhatRunsIsNotCollected(t *testing.T) {
	s := newStore(t)
	cat, err := exec.LookPath("cat")
	ok(t, err)
	text, err := os.ReadFile(cat)
	ok(t, err)
	f, err := os.Open(cat)
	ok(t, err)
	defer f.Close()
	v2, err := s.Add("9.2.0.0", f, hash(string(text)))
	ok(t, err)
	cmd := &exec.Cmd{Path: s.Paths.File(v2), Args: []string{"cat"}}
	in, err := cmd.StdinPipe()
	ok(t, err)
	ok(t, cmd.Start())
	if removed, err := s.Collect(); err != nil || len(removed) != 0 {
		t.Errorf("removed %v, %v", removed, err)
	}
	ok(t, in.Close())
	_ = cmd.Wait()
	if removed, err := s.Collect(); err != nil || len(removed) != 1 {
		t.Errorf("removed %v, %v", removed, err)
	}
}
