package agent

import (
	"cmp"
	"context"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/dispatch"
	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/health"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/agent/watchdog"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// tidyPeriod is how often the node is looked after.
const tidyPeriod = 5 * time.Second

// resolveLimit is how long a message may wait for values from the parameter store.
const resolveLimit = 20 * time.Second

// forgetPeriod is how often received commands are forgotten (docs/protocol/runcommand.md, "De-duplication").
const forgetPeriod = 10 * time.Minute

// node is everything that belongs to one identity.
type node struct {
	*daemon
	config config.Config
	id     *identity.Identity

	lanes      atomic.Pointer[[]mailbox.Lane] // nil until they are built
	journal    *journal.Journal
	dispatcher *dispatch.Dispatcher
}

// runNode runs the node until ctx ends or the machine has another identity; then it returns nil.
func (d *daemon) runNode(ctx context.Context, settings config.Settings, id *identity.Identity) error {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	cfg := settings.Config
	n := &node{daemon: d, config: cfg, id: id}
	var loops sync.WaitGroup
	defer loops.Wait()
	defer leave()
	loops.Go(func() { _ = id.Run(ctx) })
	ping := health.New(health.Options{Client: n.client(cloud.SSM()), InstanceID: id.InstanceID, Version: stamp.Version(),
		Period: time.Duration(cfg.Ssm.HealthFrequencyMinutes) * time.Minute, Channel: n.channel, Done: d.heartbeat.pulse.Pinged,
		Trouble: troubleOf(settings), Log: d.logs.Logger().With("room", "HealthCheck")})
	n.log.Info("starting", "instance", id.InstanceID, "region", id.Region)
	loops.Go(func() { n.followIdentity(ctx, leave) })
	if ping.Awaken(ctx) != nil {
		return nil
	}
	n.log.Info("first health ping was taken", "after", time.Since(d.started))
	if err := settings.Keep(d.Layout); err != nil {
		n.log.Warn("the settings could not be kept as the last good ones", "error", err)
	}
	loops.Go(func() { _ = ping.Run(ctx) })
	if d.Releases != nil {
		loops.Go(func() { d.Releases(ctx, cfg, id, d.http, d.logs.Logger().With("room", "releases")) })
	}
	j, err := d.openJournal(ctx, cfg, id)
	if err != nil {
		return nil
	}
	n.build(ctx, j)
	loops.Go(func() { n.dispatcher.Run(ctx) })
	loops.Go(func() { n.tidy(ctx) })
	<-ctx.Done()
	n.dispatcher.Close()
	return nil
}

// troubleOf is what pings say of settings that cannot be read; empty: nothing.
func troubleOf(s config.Settings) string {
	switch {
	case s.Fault == nil:
		return ""
	case s.OnlyCommands:
		return "ConfigurationUnreadable-Defaults"
	}
	return "ConfigurationUnreadable-LastGood"
}

// openJournal waits for settings that can name its folders; the error is the context's.
func (d *daemon) openJournal(ctx context.Context, cfg config.Config, id *identity.Identity) (j *journal.Journal, err error) {
	err = d.until(ctx, "waiting for folder names to keep commands under", func() error {
		j, err = journal.Open(d.Layout.Data(), id.ShortID(), cfg.Agent.OrchestrationRootDir, d.Memory)
		return err
	})
	return j, err
}

// build makes the rooms from the bottom up: lanes, then what takes commands from them.
func (n *node) build(ctx context.Context, j *journal.Journal) {
	log, guard := n.logs.Logger(), n.watchdog.Guard("mailbox")
	n.journal = j
	lanes := mailbox.Lanes(mailbox.Options{InstanceID: n.id.InstanceID, Directory: j.Directory(), Dial: n.dialMessages,
		Head: func() wire.AdditionalInfo { return runner.Head(n.agentInfo(), n.Now()) }, Contact: n.heartbeat.pulse.Answered,
		Guard: guard, Channel: n.Channel, NoChannel: n.noChannel(), Log: log.With("room", "mailbox"), Now: n.Now})
	n.lanes.Store(&lanes)
	outputs := &retention{outputs: j.AllOutputs(), open: n.isOpen, ssm: n.config.Ssm, now: n.Now}
	n.dispatcher = dispatch.New(ctx, dispatch.Options{Journal: j, Lanes: lanes, Config: n.config, InstanceID: n.id.InstanceID,
		Machine: n.machine(), Resolve: resolver(ctx, n.client(cloud.SSM()), guard), Agent: n.agentInfo, Restart: n.restart(),
		Worker: runner.Spec{Executable: n.Executable, Argv0: workerName(n.Layout)}, Finished: outputs.finished,
		Now: n.Now, Log: log.With("room", "MessageService")})
}

// noChannel tells whether the settings give no address for ssmmessages although ec2messages is not Amazon's: a region of its own, that only
// it knows. Amazon's would be asked with credentials that it did not give out.
func (n *node) noChannel() bool {
	if n.config.Mgs.Endpoint != "" || n.config.Mds.Endpoint == "" {
		return false
	}
	address, err := url.Parse(regions.WithScheme(n.config.Mds.Endpoint))
	return err != nil || !strings.HasSuffix(address.Hostname(), "."+cmp.Or(n.config.Agent.ServiceDomain, regions.Domain(n.id.Region)))
}

// isOpen tells whether a command is in hand.
func (n *node) isOpen(id string) bool { return n.dispatcher.IsOpen(id) }

func (n *node) agentInfo() wire.AgentInfo {
	return wire.AgentInfo{Lang: n.config.Os.Lang, Name: n.config.Agent.Name, OS: n.config.Os.Name, OSVersion: n.config.Os.Version,
		Version: stamp.Version()}
}

// restart restarts the machine. An agent under a folder of its own is a guest on its host and does not.
func (n *node) restart() func(context.Context) error {
	switch {
	case n.Reboot != nil:
		return n.Reboot
	case !n.Layout.System():
		return func(context.Context) error { return dispatch.ErrNoRestart }
	}
	return dispatch.RestartMachine
}

// dialMessages is a client on new connections.
func (n *node) dialMessages(s cloud.Service) *cloud.Client {
	n.http.CloseIdleConnections()
	return n.client(s)
}

// client of one service of the region. The names are fixed and the region has passed every check, so there is one.
func (n *node) client(s cloud.Service) *cloud.Client {
	c, err := n.id.Client(s)
	if err != nil {
		n.log.Error("no client", "service", s.Name, "error", err)
		c = cloud.New(cloud.Options{})
	}
	return c
}

// resolver asks the parameter store for the values a document refers to. Meanwhile the mailbox, whose message it is, waits
// for the world outside: a store that is slow ten names at a time must not let the agent seem stuck.
func resolver(ctx context.Context, ssm *cloud.Client, guard *watchdog.Guard) document.Resolver {
	return func(names []string) ([]document.Stored, error) {
		defer guard.Waiting()()
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

// tidy makes sure that the queue is not stuck, and forgets what can be forgotten.
func (n *node) tidy(ctx context.Context) {
	guard := n.watchdog.Guard("queue")
	defer guard.Leave()
	tick := time.NewTicker(tidyPeriod)
	defer tick.Stop()
	forgot := n.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		guard.Enter()
		n.dispatcher.Probe()
		if n.Now().Sub(forgot) >= forgetPeriod {
			forgot = n.Now()
			n.journal.Forget(forgot, n.isOpen)
		}
		guard.Leave()
	}
}

// followIdentity ends this node's work when the machine is registered as another node. The plain registration file is written
// last of all, so it is enough to notice that it changed.
func (n *node) followIdentity(ctx context.Context, leave func()) {
	if n.id.Type != config.OnPrem {
		return
	}
	before := changed(n.Layout.Registration())
	for host.Sleep(ctx, identityPeriod) == nil {
		now := changed(n.Layout.Registration())
		if now.Equal(before) {
			continue
		}
		before = now
		if n.moved() {
			n.log.Info("this machine has another registration now")
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
func (n *node) moved() bool {
	instance, region, err := identity.Registered(n.Layout)
	return err == nil && instance != "" && (instance != n.id.InstanceID || region != n.id.Region)
}

// channel is what pings say of the way messages come.
func (n *node) channel() string {
	lanes := n.lanes.Load()
	if lanes == nil {
		return mailbox.Channel(nil)
	}
	return mailbox.Channel(*lanes)
}

func (n *node) machine() plugins.Machine {
	m := plugins.Machine{Root: n.Layout.Root, InstanceID: n.id.InstanceID, Region: n.id.Region, DataStore: n.journal.Directory()}
	m.PlatformName, m.PlatformVersion, _ = host.Platform()
	for _, e := range n.id.Environment() {
		switch name, value, _ := strings.Cut(e, "="); name {
		case "AWS_SHARED_CREDENTIALS_FILE":
			m.SharedCredentials = value
		case "AWS_PROFILE":
			m.Profile = value
		}
	}
	return m
}
