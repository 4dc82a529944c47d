package runner

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Spec says how to start or find a worker.
type Spec struct {
	Dir        string       // of the job, see the package comment
	Executable string       // the agent's own, os.Executable()
	Argv0      string       // <bin>/ssm-document-worker
	After      int          // events up to this Seq were handled; they are not told again
	Away       string       // file, in memory, for an order to stop that Dir does not take; empty: there is none
	Log        *slog.Logger // nil: silent

	// Steps of the job, for one that was begun and whose file a power cut took; may be nil.
	Steps []document.Step
}

// Worker is one worker process, seen from the agent.
type Worker struct {
	dir    string
	steps  []document.Step
	away   string
	orders *os.File // a byte tells our own child to stop
	log    *slog.Logger
	begin  int // events up to this Seq are of earlier boots
	events chan Event
	bell   chan struct{} // something may have been recorded
	gone   chan struct{} // closed when our own child was waited for; nil for one that is not our child
	cancel chan struct{} // one Cancel is enough

	original *original // the worker is the original agent's; nil: ours
}

// ErrNotStarted says that no worker has the job: none ever began it, or it waits for a reboot.
var ErrNotStarted = errors.New("job is not started")

// Start starts the worker of a prepared job in a session of its own, also again after the reboot it waited for. A job
// that was begun before is taken up as by [Attach] instead: nothing runs twice. When ctx ends the reading ends and the
// worker goes on; Events is closed without a Done.
func Start(ctx context.Context, s Spec) (*Worker, error) {
	w, err := Attach(ctx, s)
	if !errors.Is(err, ErrNotStarted) {
		return w, err
	}
	events, err := loadEvents(s.Dir)
	if err != nil {
		return nil, err
	}
	w = newWorker(s)
	w.begin = len(events)
	w.gone = make(chan struct{})
	near, err := w.spawn(s)
	if err != nil {
		return nil, err
	}
	go w.hear(ctx, s.After, near)
	return w, nil
}

// spawn starts the process and has it waited for; near is the bell, where there is one. variables are added to its environment.
func (w *Worker) spawn(s Spec, variables ...string) (near *os.File, err error) {
	cmd := exec.Command(s.Executable) //nolint:noctx // a worker outlives the agent
	cmd.Args = []string{s.Argv0, s.Dir}
	cmd.Env = append(cmd.Environ(), append(variables, awayVariable+"="+s.Away)...)
	host.Detached(cmd)
	in, orders, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	cmd.Stdin, w.orders = in, orders
	printed, err := outlet(cmd, s.Dir)
	if err != nil {
		orders.Close()
		return nil, err
	}
	oneProcessor(cmd)
	near, far, err := bell(cmd)
	if err == nil {
		err = cmd.Start()
	}
	if far != nil {
		far.Close()
	}
	all := printed()
	if err != nil {
		orders.Close()
		if near != nil {
			near.Close()
		}
		return nil, err
	}
	go func() {
		defer orders.Close()
		if err := cmd.Wait(); err != nil {
			w.log.Warn("document worker ended badly", "dir", s.Dir, "error", err)
		}
		select {
		case <-all: // what it said last is in its log
		case <-time.After(time.Second):
		}
		close(w.gone)
	}()
	return near, nil
}

// Attach takes up a job that an earlier process of the agent started: events after s.After are told, then those to
// come. Is the worker gone without an end, the last event is a forced Done. A job that waits for a reboot ends with
// Done and SuccessAndReboot, as long as that was not told and the system was not booted anew. ErrNotStarted: call
// [Start].
func Attach(ctx context.Context, s Spec) (*Worker, error) {
	found, held, err := inspect(ctx, s)
	if err != nil {
		return nil, err
	}
	if !held && (!found.begun || found.waiting && !found.untold(s.After)) {
		return nil, ErrNotStarted
	}
	w := newWorker(s)
	w.begin = found.begin
	go w.read(ctx, s.After, false)
	return w, nil
}

// inspect finds out how a job stands. A worker that has said that it waits for a reboot is given the moment it needs to be
// gone.
func inspect(ctx context.Context, s Spec) (found state, held bool, err error) {
	boot, _ := host.BootID()
	for range 500 {
		// Who holds the lock is asked first: a worker that ends now has recorded everything.
		if _, held, err = holder(s.Dir); err != nil {
			return state{}, false, err
		}
		events, err := loadEvents(s.Dir)
		if err != nil {
			return state{}, false, err
		}
		found = stateOf(events, boot)
		if !held || !found.happens || found.untold(s.After) {
			break
		}
		select {
		case <-ctx.Done():
			return state{}, false, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return found, held, nil
}

func newWorker(s Spec) *Worker {
	log := s.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Worker{dir: s.Dir, steps: s.Steps, away: s.Away, log: log,
		events: make(chan Event), bell: make(chan struct{}, 1), cancel: make(chan struct{}, 1)}
}

// Events tells what happens, in order; it is closed after Done, or when the context of Start or Attach ends.
func (w *Worker) Events() <-chan Event { return w.events }

// hear reads the events, woken by the bell where there is one. The worker notices by it when this agent leaves.
func (w *Worker) hear(ctx context.Context, after int, near *os.File) {
	if near != nil {
		go w.listen(near)
	}
	w.read(ctx, after, near != nil)
	if near != nil && ctx.Err() != nil {
		near.Close()
	}
}

// listen turns the bytes of the pipe into wake-ups.
func (w *Worker) listen(near *os.File) {
	defer near.Close()
	buf := make([]byte, 64)
	for {
		if _, err := near.Read(buf); err != nil {
			return
		}
		select {
		case w.bell <- struct{}{}:
		default:
		}
	}
}

// How long the reader waits, at most, before it looks again.
const (
	lookRung   = time.Minute            // the bell tells
	lookOften  = 20 * time.Millisecond  // our child on a system without a bell
	lookLater  = 100 * time.Millisecond // a worker that is not our child
	cancelTime = 300 * time.Second      // from cancel to kill (docs/protocol/runcommand.md, "Failure handling of workers")
)
