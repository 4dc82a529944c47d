package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// Options are what the outside gives. Layout, Executable are needed.
type Options struct {
	Layout     installer.Layout
	Child      *launcher.Child             // nil: nobody started this agent but a person
	Executable string                      // the running program, for workers
	Resume     func()                      // wakes the updater, which looks for itself whether there is work; may be nil
	Console    io.Writer                   // for log lines besides the files; nil: none
	Reboot     func(context.Context) error // nil: the system's
	Lean       bool                        // tune the process for little memory; not in tests, where it is not alone

	Now func() time.Time // nil: time.Now
}

// Waits of a life.
const (
	identityPeriod = time.Second // between two looks for a registration
	resumePeriod   = time.Minute // between two wakings of the updater
	hashDelay      = 200 * time.Millisecond
	leaveLimit     = 400 * time.Millisecond
	reviveTries    = 10               // a second apart, of starting a launcher
	reviveLimit    = 10 * time.Second // for it to begin its work
	gcPercent      = 50
	memoryLimit    = 64 << 20
)

// ErrRival says that another agent of this installation runs.
var ErrRival = errors.New("another agent of this installation runs")

// Run lives until ctx ends or the launcher says so. After nil everything is on disk.
func Run(ctx context.Context, o Options) error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Child != nil && o.Child.Rival() != 0 {
		return fmt.Errorf("%w: process %d", ErrRival, o.Child.Rival())
	}
	if o.Child == nil { // by hand: whoever is started later must know
		dir := o.Layout.Pointer().AgentLock()
		os.MkdirAll(dir, 0o700)
		lock, holder, err := host.TryLock(dir)
		if err == nil && lock == nil {
			return fmt.Errorf("%w: process %d", ErrRival, holder)
		}
		defer lock.Release()
	}
	if o.Lean {
		debug.SetGCPercent(gcPercent)
		debug.SetMemoryLimit(memoryLimit)
	}
	console, drain := unhurried(o.Console)
	defer drain()
	logs := OpenLogs(o.Layout.Logs(), o.Layout.ConfigDir(), console)
	defer logs.Close()
	a := &life{Options: o, logs: logs, log: logs.Logger().With("room", "ssm-agent-worker"), pace: newPace()}
	return a.run(ctx)
}

// life is one run of the agent.
type life struct {
	Options
	logs *Logs
	log  *slog.Logger
	pace *pace
	beat *beater
	http *http.Client
}

func (a *life) run(ctx context.Context) error {
	defer a.revive()
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	var stop <-chan struct{}
	if a.Child != nil {
		stop = a.Child.Stop()
		if err := a.Child.LockError(); err != nil {
			a.log.Warn("no agent lock, running without", "error", err)
		}
	}
	ended := make(chan error, 1)
	a.log.Info("amazon-ssm-agent - v" + stamp.Version())
	a.beat = newBeater(a.Child, a.Layout.Pulse(), a.pace, a.log)
	go a.beat.run(ctx)
	go func() { ended <- a.live(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-stop:
	case <-ctx.Done():
	}
	leave()
	select {
	case <-ended:
	case <-time.After(leaveLimit):
		a.log.Warn("something does not end; leaving all the same")
	}
	a.log.Info("Bye.")
	return nil
}

// revive starts the launcher again where it is gone and nobody else would. Nobody is left to try again later, so it sees the new one
// at work before it leaves.
func (a *life) revive() {
	if a.Child == nil || !a.Child.LauncherGone() {
		return
	}
	a.log.Warn("the launcher is gone")
	for n := range reviveTries {
		if n > 1 {
			time.Sleep(time.Second)
		}
		pid, err := launcher.Revive(a.Layout.Pointer())
		switch {
		case err != nil:
			a.log.Error("launcher not started", "error", err)
		case pid == 0 && n == 0:
			time.Sleep(100 * time.Millisecond) // the old one may still be ending
		case pid == 0:
			return // another did, or it was stopped
		case a.came(pid):
			a.log.Info("launcher started", "pid", pid)
			return
		}
	}
}

// came waits until a launcher is at work; false: the one that was started is gone again.
func (a *life) came(pid int) bool {
	for end := time.Now().Add(reviveLimit); ; time.Sleep(5 * time.Millisecond) {
		_, running := launcher.Running(a.Layout.Pointer())
		if running || time.Now().After(end) {
			return true
		}
		if !host.Alive(pid) {
			return false
		}
	}
}

// live waits for configuration and identity, then keeps house for as long as the machine is the same.
func (a *life) live(ctx context.Context) error {
	cfg, err := a.configuration(ctx)
	if err != nil {
		return err
	}
	a.beat.period.Store(int64(beatPeriod(cfg.Agent.UpdateWatchSeconds)))
	if a.http, err = a.connections(ctx); err != nil {
		return err
	}
	go a.background(ctx)
	for {
		id, err := a.identity(ctx, cfg)
		if err != nil {
			return err
		}
		a.beat.pulse.Known(id.InstanceID)
		if err := a.keepHouse(ctx, cfg, id); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// configuration reads the file, again and again while it cannot be read.
func (a *life) configuration(ctx context.Context) (cfg config.Config, err error) {
	err = a.until(ctx, "waiting for a configuration that can be read", func() error {
		cfg, err = config.Load(a.Layout.ConfigFile())
		return err
	})
	return cfg, err
}

// connections makes the process's HTTP client, which may need a file of certificates.
func (a *life) connections(ctx context.Context) (client *http.Client, err error) {
	err = a.until(ctx, "waiting for certificates that can be read", func() error {
		client, err = cloud.HTTP()
		return err
	})
	if err == nil {
		for _, line := range cloud.ProxyLines() {
			a.log.Info(line)
		}
	}
	return client, err
}

// until tries every second until it succeeds: what is wrong here is wrong for every version of the agent, so ending would
// help nobody. What is wrong is said once. The error is the context's.
func (a *life) until(ctx context.Context, what string, try func() error) error {
	said := ""
	for {
		err := try()
		if err == nil {
			return nil
		}
		if err.Error() != said {
			said = err.Error()
			a.log.Error(what, "error", err)
		}
		if err := cloud.Pause(ctx, identityPeriod); err != nil {
			return err
		}
	}
}

// identity waits until the machine has one.
func (a *life) identity(ctx context.Context, cfg config.Config) (id *identity.Identity, err error) {
	quiet := identity.Options{HTTP: a.http}
	keeper := identity.Options{HTTP: a.http, Log: a.logs.Logger().With("room", "identity"), Keeper: true}
	err = a.until(ctx, "Identity not found", func() error {
		if _, err := identity.Load(a.Layout, cfg, quiet); err != nil {
			return err
		}
		id, err = identity.Load(a.Layout, cfg, keeper)
		return err
	})
	return id, err
}

// background is work that nobody waits for: the program's hash for the pulse, the log level, the updater.
func (a *life) background(ctx context.Context) {
	if cloud.Pause(ctx, hashDelay) != nil { // the first ping is more urgent
		return
	}
	a.beat.pulse.Program(hashOf(a.Executable))
	if a.Lean {
		debug.FreeOSMemory()
	}
	tick := time.NewTicker(resumePeriod)
	defer tick.Stop()
	for {
		if a.Resume != nil {
			a.Resume()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.logs.Reload()
			if a.Lean {
				debug.FreeOSMemory()
			}
		}
	}
}

// workerName is what document workers are called as.
func workerName(l installer.Layout) string { return filepath.Join(l.BinDir(), "ssm-document-worker") }

// program is the running program, for workers; one whose file was replaced or removed can still be run where the system
// knows a way.
func program(path string) string {
	const self = "/proc/self/exe"
	if _, err := os.Stat(path); err != nil {
		if _, err := os.Stat(self); err == nil {
			return self
		}
	}
	return path
}
