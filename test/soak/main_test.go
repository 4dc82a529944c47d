//go:build unix

package main

import (
	"os/exec"
	"testing"
)

// The short form of `make soak-long`: all three versions, both askers.
func TestHostsAreUpdatedBackAndForthUnderCommands(t *testing.T) {
	for _, commit := range []string{oldest, "HEAD~50"} {
		cmd := exec.Command("git", "-c", "safe.directory=*", "cat-file", "-e", commit+"^{commit}")
		if cmd.Run() != nil {
			t.Skip("this clone lacks the commits of earlier versions: fetch the whole history (git fetch --unshallow)")
		}
	}
	s := soak{updates: 6, count: 2, seed: 1, from: 1, load: 2, watch: 2, every: 6, previous: "HEAD~50"}
	if err := s.run(""); err != nil {
		t.Fatal(err)
	}
}

// A run that goes on with another number makes the same updates from there on.
func TestTheUpdatesFollowFromTheSeed(t *testing.T) {
	s := soak{updates: 100, seed: 7, long: 4}
	a, b := s.plans(), s.plans()
	long := 0
	for i, p := range a {
		if p != b[i] || p.number != i+1 {
			t.Errorf("%+v, %+v", p, b[i])
		}
		if p.long {
			long++
		}
	}
	if long != 4 {
		t.Errorf("%d updates are watched for long", long)
	}
}
