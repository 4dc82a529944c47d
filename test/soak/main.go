//go:build unix

// Command soak updates throwaway hosts back and forth for a long time, under a steady load of commands, and counts. It runs the real
// programs against a local region of its own.
//
//	go run ./test/soak [--updates 540] [--hosts 3] [--seed 1] [--from 1] [--load 2] [--watch 2] [--long-watch 20] [--json FILE]
//
// The versions are this source's, one of some commits before it (--previous) and the oldest that is supported (test/soak/programs.go).
// A package of the oldest is what the first host has, one of the middle version the second, and so on in turn. Each host goes from one
// version to another, chosen by the seed; a person asks for it, or a document. Every update has to end as it was answered, on the version
// that was asked for. A number of updates, spread evenly, are watched for 30 s instead of --watch seconds.
//
// At the end commands sent, answered and executed are the same number, on each host. At the start, and after every 50 updates, a host is
// let alone for a moment: launcher and agent may not have more open files than at first, no other process may run, no file may be left
// over, and the launcher, which lives through all of it, may not have grown.
//
// SIGTERM lets the updates under way end, and reports.
//
// An update that fails is reported with its number; --from N --seed S begins with it again.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	s := soak{}
	flag.IntVar(&s.updates, "updates", 540, "updates in all")
	flag.IntVar(&s.count, "hosts", 3, "hosts at a time")
	flag.Uint64Var(&s.seed, "seed", 1, "of versions, askers and long watches")
	flag.IntVar(&s.from, "from", 1, "number of the first update that is made")
	flag.IntVar(&s.load, "load", 2, "commands under way on each host; 0: none")
	flag.IntVar(&s.watch, "watch", 2, "seconds that a new version is watched for")
	flag.IntVar(&s.long, "long-watch", 20, "updates with a watch of 30 s")
	flag.IntVar(&s.every, "every", 50, "updates of all hosts between two looks at what they hold")
	flag.StringVar(&s.previous, "previous", "HEAD~50", "commit of the version before this one")
	result := flag.String("json", "", "write the report to this file, - for the output")
	flag.Parse()
	if err := s.run(*result); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run makes the hosts, updates them and reports.
func (s *soak) run(result string) error {
	dir, err := os.MkdirTemp("", "ssm-setup-soak-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r, err := s.soak(dir)
	if err != nil {
		return err
	}
	if err := r.write(result); err != nil {
		return err
	}
	if len(r.Faults) > 0 {
		return fmt.Errorf("%d faults:\n%s", len(r.Faults), strings.Join(r.Faults, "\n"))
	}
	return nil
}
