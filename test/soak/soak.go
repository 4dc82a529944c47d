//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// soak is one run.
type soak struct {
	updates, count, from, load, watch, long, every int
	seed                                           uint64
	previous                                       string

	programs
	dir    string
	region *local.Region
	env    []string
	report *Report
	mu     sync.Mutex // of the report and the output
}

// A plan is one update. All of them follow from the seed, whatever hosts make them.
type plan struct {
	number   int
	choice   int  // of the versions that the host does not run
	document bool // a document asks for it, not a person
	long     bool // it is watched for 30 s
}

// plans are all updates in their order.
func (s *soak) plans() []plan {
	random := rand.New(rand.NewPCG(s.seed, 0))
	list := make([]plan, s.updates)
	for i := range list {
		list[i] = plan{number: i + 1, choice: random.IntN(2), document: random.IntN(2) == 0}
	}
	for i := range s.long { // spread evenly, so that every stretch of the run has its share
		list[i*s.updates/s.long].long = true
	}
	return list
}

// soak runs all of it below a folder.
func (s *soak) soak(dir string) (*Report, error) {
	syscall.Umask(0o022)
	if err := os.Chmod(dir, 0o755); err != nil { // nothing is run from where others may write
		return nil, err
	}
	s.dir, s.report = dir, newReport(s)
	began := time.Now()
	var err error
	if s.programs, err = build(filepath.Join(dir, "built"), s.previous); err != nil {
		return nil, err
	}
	if s.region, err = local.Open(local.Options{Data: filepath.Join(dir, "region"), Name: "local", NoSync: true}); err != nil {
		return nil, err
	}
	defer s.region.Close()
	s.env = []string{"HOME=" + dir, "AWS_SHARED_CREDENTIALS_FILE=" + s.region.CredentialsFile(), "AWS_EC2_METADATA_DISABLED=true",
		"NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1"}
	for _, r := range s.releases {
		if err := s.tell("publish", "--from", r, "--deltas", "0", "--region", "local", "--endpoint", s.region.URL()); err != nil {
			return nil, err
		}
	}
	s.say("%s, built in %s", s.report.head(), time.Since(began).Round(time.Second))
	began = time.Now()
	var hosts []*machine
	defer func() {
		for _, m := range hosts {
			m.end()
		}
	}()
	for n := range s.count {
		m, err := s.hire(n)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, m)
	}
	todo := make(chan plan)
	var done sync.WaitGroup
	for _, m := range hosts {
		done.Go(func() { m.live(todo) })
	}
	s.give(todo)
	done.Wait()
	s.report.Seconds = time.Since(began).Seconds()
	s.report.end(hosts)
	return s.report, nil
}

// give hands the updates out, until SIGTERM.
func (s *soak) give(todo chan<- plan) {
	defer close(todo)
	enough := make(chan os.Signal, 1)
	signal.Notify(enough, syscall.SIGTERM)
	defer signal.Stop(enough)
	for _, p := range s.plans() {
		if p.number < s.from {
			continue
		}
		select {
		case todo <- p:
		case <-enough:
			s.say("asked to end before update %d", p.number)
			return
		}
	}
}

// tell runs ssm-setup.
func (s *soak) tell(args ...string) error { return run(s.dir, s.env, s.tool, args...) }

// say prints a line with the time.
func (s *soak) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Println(time.Now().UTC().Format("15:04:05"), fmt.Sprintf(format, args...))
}

// fault notes what is not as it has to be.
func (s *soak) fault(format string, args ...any) {
	text := strings.TrimSpace(fmt.Sprintf(format, args...))
	s.say("FAULT %s", text)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report.Faults = append(s.report.Faults, text)
}
