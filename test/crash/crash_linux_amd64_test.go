package crash_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

var (
	rootsFlag  = flag.Int("roots", 4, "hosts at a time")
	seedFlag   = flag.Uint64("seed", 10, "of the sample, of errors that stay, of pairs, and of the order")
	sampleFlag = flag.Int("sample", 60, "runs taken at random; 0: all")
	untilFlag  = flag.Duration("begin-within", 24*time.Hour, "no run begins later than this after the start")
	pointFlag  = flag.String("point", "", "one run by its name, as the log has it")
	listFlag   = flag.Bool("list", false, "print the points and run none")
	kindsFlag  = flag.String("kinds", "kill", "kinds of faults: kill,error,pair")
	onlyFlag   = flag.String("only", "good", "scenarios: good,broken,rollback; empty: all")
)

func (m *machine) await(id string) (local.Invocation, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return m.region.WaitCommand(ctx, id, m.node)
}

// All points: make crash-long.
func TestAFaultAtAnySystemCallLeavesOneHealthyVersion(t *testing.T) {
	l := newLab(t)
	began := time.Now()
	machines := make(chan *machine, *rootsFlag)
	var list []*machine
	var mu sync.Mutex
	var wait sync.WaitGroup
	for range *rootsFlag {
		wait.Go(func() {
			m, err := l.newMachine()
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			list = append(list, m)
			mu.Unlock()
			machines <- m
		})
	}
	wait.Wait()
	defer func() {
		for _, m := range list {
			m.end()
		}
	}()
	if t.Failed() {
		return
	}
	fmt.Printf("%d hosts are ready after %s\n", *rootsFlag, time.Since(began).Round(time.Second))
	runs := enumerate(t, list) // for -point, too: it learns which files are usual
	if *pointFlag != "" {
		r, err := named(*pointFlag)
		must(t, err)
		runs = []run{r}
	}
	if *listFlag {
		for _, r := range runs {
			fmt.Println(r)
		}
		return
	}
	if *sampleFlag > 0 && *pointFlag == "" {
		// How far the new agent has come with a command of the load is a matter of the moment: its points are for the whole run.
		runs = slices.DeleteFunc(runs, func(r run) bool { return strings.Contains(fmt.Sprint(r), ": agent.new ") })
	}
	random := rand.New(rand.NewPCG(*seedFlag, 2))
	random.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
	all := len(runs)
	if *sampleFlag > 0 {
		runs = runs[:min(*sampleFlag, all)]
	}
	bad, done := 0, 0
	for i, r := range runs {
		m := <-machines
		if time.Since(began) > *untilFlag {
			machines <- m
			break
		}
		done++
		wait.Go(func() {
			defer func() { machines <- m }()
			at := time.Now()
			err := m.play(r)
			if errors.Is(err, errNotFired) {
				err = m.play(r)
			}
			mu.Lock()
			defer mu.Unlock()
			word := "ok"
			if err != nil {
				word = "BAD"
				bad++
				t.Errorf("%s: %v", r, err)
			}
			fmt.Printf("%s %4d/%d %5.1f s  %-4s %s\n", time.Now().UTC().Format(time.TimeOnly), i+1, len(runs), time.Since(at).Seconds(), word, r)
			if err != nil {
				fmt.Println(err)
			}
		})
	}
	wait.Wait()
	fmt.Printf("%d of %d points, %d bad, seed %d, %s\n", done, all, bad, *seedFlag, time.Since(began).Round(time.Second))
}

// enumerate plays every scenario without faults, three times, and makes a run of everything that can go wrong at a call that all three
// made.
func enumerate(t *testing.T, list []*machine) (runs []run) {
	t.Helper()
	for _, s := range scenarios {
		if *onlyFlag != "" && !slices.Contains(strings.Split(*onlyFlag, ","), s.name) {
			continue
		}
		at := time.Now()
		var order []call
		seen := map[string]int{}
		for n := range 3 {
			m := list[n%len(list)]
			must(t, m.play(run{scenario: s}))
			if n == 0 {
				order = m.tracer.calls
			}
			for key := range m.tracer.seen {
				if n == 0 || m.tracer.seen[key] < seen[key] {
					seen[key] = m.tracer.seen[key]
				}
			}
			maps.DeleteFunc(seen, func(key string, _ int) bool { return m.tracer.seen[key] == 0 })
		}
		made := points(s, order, seen)
		if os.Getenv("CRASH_TRACE") != "" {
			for _, c := range order {
				fmt.Println(s.name, c.key(), c.size)
			}
		}
		fmt.Printf("%s: %d calls, %d points, %s\n", s.name, len(order), len(made), time.Since(at).Round(time.Second))
		if slices.Contains(strings.Split(*kindsFlag, ","), "pair") {
			made = append(made, pairs(made)...)
		}
		runs = append(runs, made...)
	}
	return runs
}

// pairs are runs with two faults each, one for every twenty points of a scenario.
func pairs(made []run) (runs []run) {
	random := rand.New(rand.NewPCG(*seedFlag, 3))
	for range len(made) / 20 {
		a, b := made[random.IntN(len(made))], made[random.IntN(len(made))]
		first, second := *a.faults[0], *b.faults[0]
		runs = append(runs, run{a.scenario, []*fault{&first, &second}})
	}
	return runs
}

// points are the runs of one scenario: every kill, every error once, and a quarter of the errors for ever.
func points(s scenario, order []call, seen map[string]int) (runs []run) {
	random := rand.New(rand.NewPCG(*seedFlag, 1))
	times := map[string]int{}
	kinds := strings.Split(*kindsFlag, ",")
	for _, c := range order {
		key := c.key()
		times[key]++
		n := times[key]
		if n > min(seen[key], c.most()) {
			continue
		}
		if slices.Contains(kinds, "kill") {
			hows := []string{"before", "after"}
			if c.size > 1 && c.disk {
				hows = append(hows, "torn")
			}
			for _, how := range hows {
				runs = append(runs, run{s, []*fault{newFault(c, n, how, false)}})
			}
		}
		for _, e := range errorsOf(c) {
			stays := random.IntN(4) == 0
			if !slices.Contains(kinds, "error") {
				continue
			}
			runs = append(runs, run{s, []*fault{newFault(c, n, e, false)}})
			if stays {
				runs = append(runs, run{s, []*fault{newFault(c, n, e, true)}})
			}
		}
	}
	return runs
}

// named finds the run of a name.
func named(text string) (r run, err error) {
	name, rest, _ := strings.Cut(text, ": ")
	for _, s := range scenarios {
		if s.name == name {
			r.scenario = s
		}
	}
	for part := range strings.SplitSeq(rest, " + ") {
		f, err := parse(part)
		if err != nil {
			return r, err
		}
		r.faults = append(r.faults, f)
	}
	return r, nil
}
