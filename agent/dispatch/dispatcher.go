package dispatch

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Options are what the outside gives. All are needed but Resolve and Finished.
type Options struct {
	Journal    *journal.Journal
	Lanes      []mailbox.Lane
	Config     config.Config
	InstanceID string
	Machine    plugins.Machine                   // what documents may know of this host
	Resolve    document.Resolver                 // values of parameters that a document refers to
	Worker     runner.Spec                       // Executable and Argv0
	Agent      func() wire.AgentInfo             // begins every reply
	Restart    func(context.Context) error       // restarts the machine, see [RestartMachine]
	Finished   func(status string, id host.Name) // after every answered command
	Now        func() time.Time
	Log        *slog.Logger
}

// Dispatcher takes commands from its lanes until it is closed.
type Dispatcher struct {
	o        Options
	executor *executor
	queue    *queue
}

// New builds the parts; commands run under ctx. Nothing is received before [Dispatcher.Run].
func New(ctx context.Context, o Options) *Dispatcher {
	if o.Finished == nil {
		o.Finished = func(string, host.Name) {}
	}
	o.Worker.Log = o.Log
	jobs := &converter{journal: o.Journal, config: o.Config, machine: o.Machine, resolve: o.Resolve, now: o.Now}
	boot, _ := host.BootID()
	e := &executor{journal: o.Journal, lanes: o.Lanes, assignment: jobs.assignment, spec: o.Worker, agent: o.Agent,
		rebooter: newRebooter(boot, o.Restart, o.Now, o.Log.With("room", "reboot")), finished: o.Finished, now: o.Now, booted: bootTime,
		log: o.Log}
	q := newQueue(ctx, queueOptions{journal: o.Journal, lanes: o.Lanes, workers: o.Config.Mds.CommandWorkersLimit,
		parse: jobs.parse, run: e.run, prestart: e.prestart, now: o.Now, log: o.Log})
	return &Dispatcher{o: o, executor: e, queue: q}
}

// Run takes up what an earlier agent left, receives from all lanes, and returns when ctx ends.
func (d *Dispatcher) Run(ctx context.Context) {
	loaded, err := d.o.Journal.Load(d.o.Config.Mds.CommandRetryLimit, d.o.Now(), mailbox.Undated)
	if err != nil {
		d.o.Log.Error("the journal cannot be read completely", "error", err)
	}
	d.queue.resume(loaded)
	var lanes sync.WaitGroup
	lanes.Go(func() {
		for _, b := range loaded.Broken {
			d.executor.giveUp(ctx, d.o.InstanceID, b)
		}
	})
	for _, l := range d.o.Lanes {
		lanes.Go(func() { l.Run(ctx, d.queue.accept) })
	}
	lanes.Wait()
}

// IsOpen tells whether the command with that id is in hand: its files must stay.
func (d *Dispatcher) IsOpen(id string) bool { return d.queue.isOpen(id) }

// Probe returns at once, unless the queue is stuck.
func (d *Dispatcher) Probe() { d.queue.probe() }

// Close takes no more commands and waits until the work in hand is laid down; the context of [New] must have ended.
func (d *Dispatcher) Close() { d.queue.close() }
