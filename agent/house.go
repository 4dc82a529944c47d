package agent

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/health"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// housekeeping is how often the house looks after itself.
const housekeeping = 5 * time.Second

// resolveLimit is how long a message may wait for values from the parameter store.
const resolveLimit = 20 * time.Second

// forgetEvery is how often received commands are forgotten (spec runcommand 3.5).
const forgetEvery = 10 * time.Minute

// house is everything that belongs to one identity.
type house struct {
	*life
	config config.Config
	id     *identity.Identity

	journal *journal.Journal
	desk    *desk
	bench   *bench
	clean   *cleaner
}

// keepHouse runs the rooms until ctx ends or the machine has another identity; then it returns nil.
func (a *life) keepHouse(ctx context.Context, cfg config.Config, id *identity.Identity) error {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	h := &house{life: a, config: cfg, id: id}
	var rooms sync.WaitGroup
	defer rooms.Wait()
	defer leave()
	rooms.Go(func() { id.Run(ctx) })
	ping := health.New(health.Options{Client: h.client("ssm"), InstanceID: id.InstanceID, Version: stamp.Version(),
		Period: time.Duration(cfg.Ssm.HealthFrequencyMinutes) * time.Minute, Channel: h.channel, Done: a.beat.pulse.Done,
		Log: a.logs.Logger().With("room", "HealthCheck")})
	h.log.Info("starting", "instance", id.InstanceID, "region", id.Region)
	rooms.Go(func() { h.followIdentity(ctx, leave) })
	if ping.Awaken(ctx) != nil {
		return nil
	}
	h.log.Info("first health ping was taken", "after", time.Since(a.pace.start))
	rooms.Go(func() { ping.Run(ctx) })
	j, err := a.openJournal(ctx, cfg, id)
	if err != nil {
		return nil
	}
	h.furnish(ctx, j)
	rooms.Go(func() { h.restore(ctx) })
	rooms.Go(func() { h.watch(ctx) })
	<-ctx.Done()
	h.desk.setClosed(true)
	h.desk.busy.Wait()
	return nil
}

// openJournal waits for a disk that takes the tree; the error is the context's.
func (a *life) openJournal(ctx context.Context, cfg config.Config, id *identity.Identity) (j *journal.Journal, err error) {
	err = a.until(ctx, "waiting for a place to keep commands in", func() error {
		j, err = journal.Open(a.Layout.Data(), id.ShortID(), cfg.Agent.OrchestrationRootDir)
		return err
	})
	return j, err
}

// furnish makes the rooms and ties them together.
func (h *house) furnish(ctx context.Context, j *journal.Journal) {
	log, busy := h.logs.Logger(), h.pace.loop("mailbox")
	h.journal = j
	read := &reader{journal: j, config: h.config, machine: h.machine(), resolve: resolver(ctx, h.client("ssm"), busy), now: h.Now}
	h.desk = &desk{journal: j, workers: h.config.Mds.CommandWorkersLimit, buffer: h.config.Mds.CommandWorkerBufferLimit,
		parse: read.Parse, now: h.Now, log: log.With("room", "MessageService"), ctx: ctx, open: map[string]*command{}}
	h.clean = &cleaner{outputs: j.Outputs, open: h.desk.isOpen, ssm: h.config.Ssm, now: h.Now}
	h.bench = &bench{journal: j, desk: h.desk, job: read.Job, agent: h.agentInfo, reboot: h.rebooter(log), now: h.Now,
		finished: h.clean.finished, log: h.desk.log,
		spec: runner.Spec{Executable: h.Executable, Argv0: workerName(h.Layout), Log: h.desk.log}}
	h.desk.work, h.desk.ahead = h.bench.work, h.bench.getAhead
	h.desk.lanes = mailbox.Lanes(mailbox.Options{InstanceID: h.id.InstanceID, Directory: j.Directory(), Dial: h.dialMessages,
		Head: func() wire.AdditionalInfo { return runner.Head(h.agentInfo(), h.Now(), nil) }, Contact: h.beat.pulse.Done,
		Busy: busy, Log: log.With("room", "mailbox"), Now: h.Now})
}

func (h *house) agentInfo() wire.AgentInfo {
	return wire.AgentInfo{Lang: h.config.Os.Lang, Name: h.config.Agent.Name, OS: h.config.Os.Name, OSVersion: h.config.Os.Version,
		Version: stamp.Version()}
}

func (h *house) rebooter(log *slog.Logger) *rebooter {
	boot, _ := host.BootID()
	r := &rebooter{boot: boot, shut: h.Reboot, patience: rebootWait, now: h.Now, log: log.With("room", "reboot"), asked: make(chan struct{}, 1)}
	r.asked <- struct{}{}
	if r.shut == nil {
		r.shut = restart
	}
	if h.Reboot == nil && !h.Layout.System() { // a guest under a folder of its own does not restart its host
		r.shut = func(context.Context) error { return errNoReboot }
	}
	return r
}

// dialMessages is a client on new connections.
func (h *house) dialMessages() *cloud.Client {
	h.http.CloseIdleConnections()
	return h.client("ec2messages")
}

// client of one service of the region. The names are fixed and the region has passed every check, so there is one.
func (h *house) client(service string) *cloud.Client {
	c, err := h.id.Client(service)
	if err != nil {
		h.log.Error("no client", "service", service, "error", err)
		c = cloud.New(cloud.Options{})
	}
	return c
}

// resolver asks the parameter store for the values a document refers to. Meanwhile the mailbox, whose message it is, waits
// for the world outside: a store that is slow ten names at a time must not let the agent seem stuck.
func resolver(ctx context.Context, ssm *cloud.Client, busy func(bool)) document.Resolver {
	return func(names []string) ([]document.Stored, error) {
		busy(false)
		defer busy(true)
		in := struct {
			Names          []string
			WithDecryption bool
		}{Names: names}
		var out struct{ Parameters []document.Stored }
		ctx, end := context.WithTimeout(ctx, resolveLimit)
		defer end()
		err := ssm.Call(ctx, "GetParameters", in, &out)
		return out.Parameters, err
	}
}

// restore takes up what an earlier agent left, and only then receives.
func (h *house) restore(ctx context.Context) {
	loaded, err := h.journal.Load(h.config.Mds.CommandRetryLimit, h.Now())
	if err != nil {
		h.log.Error("the journal cannot be read completely", "error", err)
	}
	h.desk.resume(loaded)
	var lanes sync.WaitGroup
	lanes.Go(func() {
		for _, b := range loaded.Broken {
			h.bench.giveUp(ctx, h.id.InstanceID, b)
		}
	})
	for _, l := range h.desk.lanes {
		lanes.Go(func() { l.Run(ctx, h.desk.Accept) })
	}
	lanes.Wait()
}

// resume takes up loaded jobs: those that ran have a place whatever the limit, the others wait in their order.
func (d *desk) resume(l journal.Loaded) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, job := range l.Current {
		c := &command{Job: job, resumed: true}
		d.open[c.id()] = c
		d.running++
		d.begin(c)
	}
	for _, job := range l.Pending {
		d.enqueue(&command{Job: job})
	}
}

// watch looks after the house: that nothing is stuck, what can be forgotten.
func (h *house) watch(ctx context.Context) {
	busy := h.pace.loop("desk")
	defer busy(false)
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	forgot := h.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		busy(true)
		h.desk.mu.Lock() // would hang if the desk did
		h.desk.mu.Unlock()
		if h.Now().Sub(forgot) >= forgetEvery {
			forgot = h.Now()
			h.journal.Forget(forgot, h.desk.isOpen)
		}
		busy(false)
	}
}

// followIdentity ends this house when the machine is registered as another node. The plain registration file is written
// last of all, so a look at it is enough until it changes.
func (h *house) followIdentity(ctx context.Context, leave func()) {
	if h.id.Type != config.OnPrem {
		return
	}
	before := changed(h.Layout.Registration())
	for cloud.Pause(ctx, identityPeriod) == nil {
		now := changed(h.Layout.Registration())
		if now.Equal(before) {
			continue
		}
		before = now
		if h.moved() {
			h.log.Info("this machine has another registration now")
			leave()
		}
	}
}

// changed is when a file was written; the zero time when there is none.
func changed(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// moved tells whether the machine has another registration. One that cannot be read is no other.
func (h *house) moved() bool {
	instance, region, err := identity.Registered(h.Layout)
	return err == nil && instance != "" && (instance != h.id.InstanceID || region != h.id.Region)
}

// channel is what pings say of the way messages come.
func (h *house) channel() string { return "ec2messages" }

func (h *house) machine() plugins.Machine {
	m := plugins.Machine{Root: h.Layout.Root, InstanceID: h.id.InstanceID, Region: h.id.Region, DataStore: h.journal.Directory()}
	m.PlatformName, m.PlatformVersion, _ = host.Platform()
	for _, e := range h.id.Environment() {
		switch name, value, _ := strings.Cut(e, "="); name {
		case "AWS_SHARED_CREDENTIALS_FILE":
			m.SharedCredentials = value
		case "AWS_PROFILE":
			m.Profile = value
		}
	}
	return m
}
