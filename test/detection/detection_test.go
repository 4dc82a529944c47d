//go:build unix

package detection_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

var (
	pairFlag  = flag.String("pair", "this", "this: launcher and updater of this source; launcher, updater: that one of the earlier release")
	runsFlag  = flag.Int("runs", 1, "runs of each class")
	rootsFlag = flag.Int("roots", 4, "hosts at a time")
	seedFlag  = flag.Uint64("seed", 20, "of the moments of kills, and of the order of the runs")
	longFlag  = flag.Bool("long", false, "all classes, not the quick ones only")
	untilFlag = flag.Duration("begin-within", 24*time.Hour, "no run begins later than this after the start")
)

// A pairing says of which code launcher and updater are.
type pairing struct{ launcher, updater string }

// Words of a pairing.
const (
	here    = "this source"
	earlier = "earlier release"
)

var pairings = map[string]pairing{"this": {here, here}, "launcher": {earlier, here}, "updater": {here, earlier}}

// A class is a way in which a release fails, or is done wrong.
type class struct {
	name       string
	version    string
	how, after string // of test/broken; no how: the sound release
	kills      int    // of the agent on trial, at random moments
	quick      bool
	exit       int // of the update; 9: rolled back
}

var classes = []class{
	{name: "ends at once", version: "9.3.0.0", how: "exit", quick: true, exit: 9},
	{name: "ends after 20 s", version: "9.4.0.0", how: "exit-later", after: "20", exit: 9},
	{name: "killed twice", version: soundVersion, kills: 2, quick: true, exit: 9},
	{name: "silent", version: "9.5.0.0", how: "hang", exit: 9},
	{name: "mute", version: "9.6.0.0", how: "mute", exit: 9},
	{name: "ends 60 s after each start", version: "9.7.0.0", how: "late", after: "60"},
	{name: "sound, killed once", version: soundVersion, kills: 1, quick: true},
}

// run is one of a class; its seed follows from the program's.
type run struct {
	class  class
	number int
	random *rand.Rand
}

// result is what a run showed: times from a fault to the first beat of what runs next.
type result struct {
	run
	times []time.Duration // one for each fault that was followed by a start
	total time.Duration   // from the first start of the release to the first beat of the version before; 0: it stayed
	err   error
}

// lab is what the runs of a pairing share.
type lab struct {
	programs
	pairing
	dir     string
	region  *local.Region
	env     []string
	started time.Time
}

// Twenty runs of each class: make detection-long.
func TestABrokenReleaseGivesWayAndASoundOneStays(t *testing.T) {
	p, ok := pairings[*pairFlag]
	if !ok {
		t.Fatalf("no such pairing: %s", *pairFlag)
	}
	var chosen []class
	for _, c := range classes {
		if *longFlag || c.quick {
			chosen = append(chosen, c)
		}
	}
	l := newLab(t, p, chosen)
	todo := make(chan run)
	var mu sync.Mutex
	var results []result
	var hosts sync.WaitGroup
	for range *rootsFlag {
		hosts.Go(func() {
			for r := range todo {
				got := l.play(r)
				mu.Lock()
				results = append(results, got)
				fmt.Println(got.line())
				mu.Unlock()
			}
		})
	}
	for _, r := range order(chosen) {
		if time.Since(l.started) < *untilFlag {
			todo <- r
		}
	}
	close(todo)
	hosts.Wait()
	fmt.Print(table(p, chosen, results))
	for _, r := range results {
		if r.err != nil {
			t.Errorf("%s, run %d: %v", r.class.name, r.number, r.err)
		}
	}
}

// order mixes the classes, so that each meets every load.
func order(chosen []class) (list []run) {
	random := rand.New(rand.NewPCG(*seedFlag, 0))
	for n := range *runsFlag {
		round := slices.Clone(chosen)
		random.Shuffle(len(round), func(i, j int) { round[i], round[j] = round[j], round[i] })
		for _, c := range round {
			list = append(list, run{c, n + 1, rand.New(rand.NewPCG(*seedFlag, random.Uint64()))})
		}
	}
	return list
}

// newLab builds, and publishes to a region of its own.
func newLab(t *testing.T, p pairing, chosen []class) *lab {
	t.Helper()
	syscall.Umask(0o022)
	dir := t.TempDir()
	for d := dir; strings.HasPrefix(d, os.TempDir()+string(filepath.Separator)); d = filepath.Dir(d) {
		_ = os.Chmod(d, 0o755) // nothing is run from where others may write
	}
	l := &lab{pairing: p, dir: dir, region: local.Start(t), started: time.Now()}
	var err error
	if l.programs, err = build(filepath.Join(dir, "built"), p, chosen); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(l.region.CredentialsFile())
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, "="); ok {
			keys[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	client := ssm.New(ssm.Options{Region: l.region.Name(), BaseEndpoint: aws.String(l.region.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(keys["aws_access_key_id"], keys["aws_secret_access_key"], "")})
	a, err := client.CreateActivation(context.Background(), &ssm.CreateActivationInput{
		IamRole: aws.String("service-role/SSMRole"), RegistrationLimit: aws.Int32(1000)})
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(dir, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		t.Fatal(err)
	}
	l.env = append(os.Environ(), "HOME="+home, "AWS_SHARED_CREDENTIALS_FILE="+l.region.CredentialsFile(), "AWS_EC2_METADATA_DISABLED=true",
		"NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1", "SSM_ACTIVATION_ID="+*a.ActivationId, "SSM_ACTIVATION_CODE="+*a.ActivationCode)
	for _, r := range l.releases {
		if err := l.do(l.tool, "publish", "--from", r, "--region", l.region.Name(), "--endpoint", l.region.URL()); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Printf("launcher: %s, updater: %s; %d runs a class, %d hosts at a time, seed %d; built in %s\n",
		p.launcher, p.updater, *runsFlag, *rootsFlag, *seedFlag, time.Since(l.started).Round(time.Second))
	return l
}

// do runs a program to its end.
func (l *lab) do(program string, args ...string) error {
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Dir = l.env, l.dir
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), args[0], err, text)
	}
	return nil
}

// line is a run for people.
func (r result) line() string {
	s := fmt.Sprintf("%s  %-28s %3d ", time.Now().UTC().Format("15:04:05"), r.class.name, r.number)
	for _, d := range r.times {
		s += fmt.Sprintf(" %6.2f s", d.Seconds())
	}
	if r.total > 0 {
		s += fmt.Sprintf("  in all %6.2f s", r.total.Seconds())
	}
	if r.err != nil {
		s += "  " + r.err.Error()
	}
	return s
}

// table sums up: for each class the shortest, middle and longest time after each fault, and in all.
func table(p pairing, chosen []class, results []result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nlauncher: %s, updater: %s\n%-28s %5s %6s  %s\n", p.launcher, p.updater, "class", "runs", "as due",
		"from the fault to the first beat of what runs next: shortest, median, longest")
	for _, c := range chosen {
		good, n := 0, 0
		faults := map[string][]time.Duration{}
		for _, r := range results {
			if r.class.name != c.name {
				continue
			}
			if n++; r.err == nil {
				good++
			}
			for i, d := range r.times {
				key := strconv.Itoa(i+1) + ". fault"
				faults[key] = append(faults[key], d)
			}
			if r.total > 0 {
				faults["in all"] = append(faults["in all"], r.total)
			}
		}
		fmt.Fprintf(&b, "%-28s %5d %6d ", c.name, n, good)
		for _, key := range []string{"1. fault", "2. fault", "3. fault", "4. fault", "in all"} {
			if list := faults[key]; len(list) > 0 {
				slices.Sort(list)
				fmt.Fprintf(&b, "  %s %.1f %.1f %.1f s", key, list[0].Seconds(), list[len(list)/2].Seconds(), list[len(list)-1].Seconds())
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
