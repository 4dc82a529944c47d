package agent

import (
	"context"
	"log/slog"
	"os"

	"github.com/ssm-setup/ssm-setup/agent/runner"
)

// headStart is a worker process that is being started while its job goes to disk: both take milliseconds, and so they
// take them together. All methods work on nil, which is no head start.
type headStart struct {
	started chan *runner.Ahead // gives one value: nil when the process could not be started
	dir     string
}

// getAhead begins to start the worker of a new job.
func (b *bench) getAhead(id string) *headStart {
	spec := b.workerSpec(id)
	h := &headStart{started: make(chan *runner.Ahead, 1), dir: spec.Dir}
	go func() {
		a, err := runner.StartAhead(spec)
		if err != nil {
			b.log.Log(context.Background(), slog.LevelDebug, "worker not started ahead", "error", err)
			a = nil
		}
		h.started <- a
	}()
	return h
}

// start lets the worker run its prepared job; nil when there is none after all.
func (h *headStart) start(ctx context.Context) *runner.Worker {
	if h == nil {
		return nil
	}
	a := <-h.started
	if a == nil {
		return nil
	}
	w, err := a.Go(ctx)
	if err != nil {
		return nil
	}
	return w
}

// abandon gives the worker up; its folder is removed.
func (h *headStart) abandon() {
	if h == nil {
		return
	}
	if a := <-h.started; a != nil {
		a.Abandon()
	}
	os.RemoveAll(h.dir)
}
