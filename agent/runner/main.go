package runner

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Exit codes of a worker, for people: the agent reads events.
const (
	ended  = 0
	broken = 1 // nothing could be recorded
	busy   = 2 // another worker has the job
)

// Main is the worker process: it runs the job in dir to its end and returns the exit code. Its stderr leads to the job's log.
func Main(dir string, actions []plugins.Action, sinks []output.Sink) int {
	restoreProcessors()
	wake, gone := farEnd()
	away := awayFile()
	host.CloseOnExec(3) // no script inherits what this process was given
	if gate() != nil {
		return ended // the agent gave it up; nothing was touched
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	survivePipes()
	watch := listen(dir, away, stop, gone)
	defer watch()
	log := slog.New(slog.NewTextHandler(fault.Writer(ownLog{jobLog(dir)}), nil))
	w := process{dir: dir, actions: actions, sinks: sinks, log: log, wake: wake, gone: gone}
	code, err := w.work(ctx)
	if err != nil {
		log.Error("worker failed", "error", err)
	}
	return code
}

// process is the worker at work.
type process struct {
	dir     string
	actions []plugins.Action
	sinks   []output.Sink
	log     *slog.Logger
	wake    func()
	gone    func() bool // the agent that started this worker left, or was started later
	record  *record
}

func (p *process) work(ctx context.Context) (int, error) {
	if ok, err := lockJob(p.dir); err != nil {
		return broken, fmt.Errorf("cannot lock the job: %w", err)
	} else if !ok {
		return busy, nil
	}
	job, err := readJob(p.dir)
	if err != nil {
		return broken, err
	}
	var before []Event
	if p.record, before, err = openRecord(p.dir, p.wake); err != nil {
		return broken, err
	}
	boot, _ := host.BootID()
	if s := stateOf(before, boot); s.begun && !s.waiting {
		return ended, nil // ended, or cut off; the reader says which
	}
	if err := p.record.add(Event{Kind: Started, At: time.Now(), PID: os.Getpid(), Boot: boot}); err != nil {
		return broken, err
	}
	return p.run(ctx, job, before, boot)
}

// run runs the steps. The last step and the end are recorded together: one sync less on the way to an answer.
func (p *process) run(ctx context.Context, job Assignment, before []Event, boot string) (int, error) {
	var results []Result
	var pending []Event
	var failure error
	engine := Sequencer{Job: job, Actions: p.actions, Sinks: p.sinks, System: runtime.GOOS, Now: time.Now, Log: p.log}
	saved := earlier(before)
	engine.Tell = func(index int, r Result, last bool) {
		saved[index] = r
		e := Event{Kind: Step, At: time.Now(), Step: index, Result: &r, Counts: countsOf(saved)}
		if last {
			pending = append(pending, e)
		} else if failure == nil {
			failure = p.record.add(e)
		}
	}
	results, status := engine.Run(ctx, earlier(before))
	done := Event{Kind: Done, At: time.Now(), Status: status, Counts: Counts(results), Boot: boot}
	if len(results) == 1 {
		done.Result = &results[0]
	}
	told := p.gone()
	if told { // before the end is recorded: an agent of ours removes the folder after it
		p.tellOriginal(job, results, status)
	}
	if failure == nil {
		failure = p.record.add(append(pending, done)...)
	}
	if failure != nil {
		return broken, failure
	}
	if !told && p.gone() {
		p.tellOriginal(job, results, status)
	}
	return ended, nil
}

func countsOf(byStep map[int]Result) map[string]int {
	var results []Result
	for _, r := range byStep {
		results = append(results, r)
	}
	return Counts(results)
}

// listen calls stop when the job is cancelled: at once where a signal or the pipe tells, else soon. It also notices when the agent is
// gone. The returned function ends the listening.
func listen(dir, away string, stop func(), gone func() bool) func() {
	signals, silence := hear()
	quit := make(chan struct{})
	told := orders(quit)
	cancelled := func() bool {
		if ordered(dir, away) {
			stop()
			return true
		}
		return false
	}
	cancelled() // before anything runs
	go func() {
		tick := time.NewTicker(pollCancel)
		defer tick.Stop()
		alone := false
		for !cancelled() {
			select {
			case <-signals:
			case <-told:
				stop()
				return
			case <-tick.C:
				if !alone && gone() {
					alone = true
					keepCrash(dir)
				}
			case <-quit:
				return
			}
		}
	}()
	return func() { silence(); close(quit) }
}
