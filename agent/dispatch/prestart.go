package dispatch

import (
	"context"
	"os"

	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// prestarted is a worker process that is being started while its job goes to disk: both take milliseconds, and so they take them
// together. All methods work on nil, for a command whose worker was not started yet.
type prestarted struct {
	started chan *runner.Prestarted // gives one value: nil when the process could not be started
	dir     string
}

// prestart begins to start the worker of a new job.
func (x *executor) prestart(id host.Name) *prestarted {
	spec := x.spec
	spec.Executable, spec.Dir, spec.Away = programFile(spec.Executable), x.journal.Channel(id), x.journal.CancelAway(id)
	p := &prestarted{started: make(chan *runner.Prestarted, 1), dir: spec.Dir}
	go func() {
		a, err := runner.Prestart(spec)
		if err != nil {
			x.log.Debug("worker not started ahead", "error", err)
			a = nil
		}
		p.started <- a
	}()
	return p
}

// start lets the worker run its prepared job; nil when there is none after all.
func (p *prestarted) start(ctx context.Context) *runner.Worker {
	if p == nil {
		return nil
	}
	a := <-p.started
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
func (p *prestarted) abandon() {
	if p == nil {
		return
	}
	if a := <-p.started; a != nil {
		a.Abandon()
	}
	os.RemoveAll(p.dir)
}
