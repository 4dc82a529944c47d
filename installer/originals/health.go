package originals

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/setup"
)

// How long an agent gets to become healthy (docs/protocol/update.md, "Health check after install"), and how long it is watched then.
const (
	rounds       = 36
	roundPause   = 5 * time.Second
	trialTime    = time.Minute
	trialPause   = time.Second
	confirmTime  = 2 * time.Minute
	confirmPause = 5 * time.Second
)

// sight is what one look at the system finds.
type sight struct {
	running       bool
	main, workers []int
}

func (s sight) healthy() bool { return s.running && len(s.main) > 0 && len(s.workers) > 0 }

// lacks says what a sight is not healthy for.
func (s sight) lacks() string {
	switch {
	case !s.running:
		return "its service does not run"
	case len(s.main) == 0:
		return "its main program does not run"
	}
	return "its worker does not run"
}

// look looks once.
func (a *Agent) look() (sight, error) {
	status, err := a.System.Service.Status()
	if err != nil {
		return sight{}, err
	}
	s := sight{running: status.Running, main: a.System.Pids(a.Launcher())}
	s.workers = a.System.Pids(a.Worker())
	return s, nil
}

// awaitRound waits until one round finds the agent healthy.
func (a *Agent) awaitRound(ctx context.Context) (sight, error) {
	var s sight
	var err error
	for n := range rounds {
		if n > 0 {
			if err := a.System.Pause(ctx, roundPause); err != nil {
				return s, err
			}
		}
		if s, err = a.look(); err == nil && s.healthy() {
			return s, nil
		}
	}
	if err != nil {
		return s, err
	}
	return s, fmt.Errorf("%w within %s: %s", setup.ErrUnhealthy, rounds*roundPause, s.lacks())
}

// watch waits until the agent is healthy, and watches it for the time of its trial. registered: what its log says of registration and
// credentials counts.
func (a *Agent) watch(ctx context.Context, from marks, registered bool) error {
	first, err := a.awaitRound(ctx)
	if err != nil {
		return err
	}
	trial := a.Trial
	if trial == 0 {
		trial = trialTime
	}
	a.Ports.Step("Amazon's agent runs; it is watched for %s", trial)
	main, workers := first.main, first.workers
	for spent := time.Duration(0); ; spent += trialPause {
		s, err := a.look()
		if err != nil {
			return err
		}
		main, workers = both(main, s.main), both(workers, s.workers)
		if !s.running || len(main) == 0 || len(workers) == 0 {
			return fmt.Errorf("%w: a process of it ended within %s", setup.ErrUnhealthy, trial)
		}
		if line := a.complaint(from); line != "" && registered {
			return fmt.Errorf("%w: its log says: %s", setup.ErrUnhealthy, line)
		}
		if spent >= trial {
			return nil
		}
		if err := a.System.Pause(ctx, min(trialPause, trial-spent)); err != nil {
			return err
		}
	}
}

// both are the numbers that stand in both lists.
func both(x, y []int) (list []int) {
	for _, n := range x {
		if slices.Contains(y, n) {
			list = append(list, n)
		}
	}
	return list
}

// marks are the lengths of the log files when the agent was started.
type marks map[string]int64

// logs are where the agent writes; on Windows each program has its own file (docs/protocol/identity.md, "Log files").
func (a *Agent) logs() []string {
	return []string{filepath.Join(a.Logs(), "amazon-ssm-agent.log"), filepath.Join(a.Logs(), "ssm-agent-worker.log")}
}

// mark notes how long the logs are.
func (a *Agent) mark() marks {
	m := marks{}
	for _, file := range a.logs() {
		if info, err := os.Stat(file); err == nil {
			m[file] = info.Size()
		}
	}
	return m
}

// about is what a line has to be about.
var about = regexp.MustCompile(`(?i)regist|credential|fingerprint|activation`)

// maxLog bounds what is read of a log, in bytes.
const maxLog = 4 << 20

// complaint is the first line since a mark that has the level ERROR and is about registration or credentials; empty: there is none.
func (a *Agent) complaint(from marks) string {
	for _, file := range a.logs() {
		f, err := os.Open(file)
		if err != nil {
			continue
		}
		at := from[file]
		if info, err := f.Stat(); err == nil && info.Size() < at { // it was rolled
			at = 0
		}
		line := complaintIn(io.NewSectionReader(f, at, maxLog))
		f.Close()
		if line != "" {
			return line
		}
	}
	return ""
}

// complaintIn reads lines as "2006-01-02 15:04:05.0000 LEVEL message".
func complaintIn(r io.Reader) string {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.SplitN(lines.Text(), " ", 4)
		if len(fields) == 4 && (fields[2] == "ERROR" || fields[2] == "CRITICAL") && about.MatchString(fields[3]) {
			return printable(fields[3])
		}
	}
	return ""
}

// printable is a line of another program for people: short, and without what a terminal would act upon.
func printable(line string) string {
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, line)
	const longest = 300
	if len(line) > longest {
		line = strings.ToValidUTF8(line[:longest], "") + "…"
	}
	return line
}

// confirm waits until the service names the version as the one that pinged last.
func (a *Agent) confirm(ctx context.Context, region, instanceID, version string) error {
	var got string
	var err error
	for spent := time.Duration(0); spent <= confirmTime; spent += confirmPause {
		if got, err = a.Confirm(ctx, region, instanceID); err == nil && got == version {
			return nil
		}
		if err := a.System.Pause(ctx, confirmPause); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: the service still names version %s", setup.ErrUnhealthy, got)
}
