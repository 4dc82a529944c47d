package agent

import (
	"context"
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
	"github.com/ssm-setup/ssm-setup/agent/logfile"
	"github.com/ssm-setup/ssm-setup/agent/watchdog"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Options are what the outside gives. Layout, Executable are needed.
type Options struct {
	Layout     installer.Layout
	Child      *launcher.Child // nil: run by hand, without a launcher
	Executable string          // the running program, for workers
	Resume     func()          // wakes the updater, which looks for itself whether there is work; may be nil
	// Releases looks for releases by itself, for one identity, until its context ends; nil: it is not done.
	Releases func(context.Context, config.Config, *identity.Identity, *http.Client, *slog.Logger)
	Console  io.Writer                   // for log lines besides the files; nil: none
	Reboot   func(context.Context) error // restarts the machine; nil: as the system does
	Memory   string                      // folder in memory for what a failing disk does not take; "": the system's
	Channel  bool                        // commands come over the control channel of ssmmessages, too
	Lean     bool                        // tune the process for little memory; not in tests, where it is not alone

	Now func() time.Time // nil: time.Now
}

// Waits of the daemon.
const (
	identityPeriod = time.Second // between two looks for a registration
	resumePeriod   = time.Minute // between two wakings of the updater
	hashDelay      = 200 * time.Millisecond
	unfinishedFor  = time.Hour // after which a file that has no name yet gets none any more
	leaveLimit     = 400 * time.Millisecond
	reviveTries    = 10               // a second apart, of starting a launcher
	reviveLimit    = 10 * time.Second // for it to begin its work
	gcPercent      = 50
	memoryLimit    = 64 << 20
)

// ErrRival says that another agent of this installation runs.
var ErrRival = fault.New(fault.Refused, "another agent of this installation runs",
	"stop the service first: systemctl stop amazon-ssm-agent")

// Run lives until ctx ends or the launcher says so. After nil everything is on disk.
func Run(ctx context.Context, o Options) error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Memory == "" {
		o.Memory = host.MemoryFolder()
	}
	if o.Child != nil && o.Child.Rival() != 0 {
		return fmt.Errorf("%w: process %d", ErrRival, o.Child.Rival())
	}
	var byHand *host.FolderLock // the agent lock of an agent without a launcher
	var byHandErr error
	if o.Child == nil { // by hand: an agent that is started later must know
		dir := o.Layout.Pointer().AgentLock()
		_ = os.MkdirAll(dir, 0o700) // TryLock says what is wrong with it
		lock, holder, err := host.TryLock(dir)
		if err == nil && lock == nil {
			return fmt.Errorf("%w: process %d", ErrRival, holder)
		}
		defer lock.Release()
		byHand, byHandErr = lock, err
	}
	if o.Lean {
		debug.SetGCPercent(gcPercent)
		debug.SetMemoryLimit(memoryLimit)
	}
	console, drain := logfile.NonBlocking(o.Console)
	defer drain()
	logs := logfile.Open(o.Layout.Logs(), o.Layout.ConfigDir(), console)
	defer logs.Close()
	if o.Child != nil {
		logs.Brief()
	}
	d := &daemon{Options: o, started: time.Now(), logs: logs, log: logs.Logger().With("room", "ssm-agent-worker"), watchdog: watchdog.New(nil)}
	d.keep = byHand.Keep
	if o.Child != nil {
		d.keep, byHandErr = o.Child.KeepLock, o.Child.LockError()
	}
	if byHandErr != nil {
		d.log.Warn("no agent lock, running without: another agent of this installation may run beside this one", "error", byHandErr)
	}
	return d.run(ctx)
}

// daemon is one run of the agent.
type daemon struct {
	Options
	started   time.Time
	logs      *logfile.Logs
	log       *slog.Logger
	watchdog  *watchdog.Watchdog
	heartbeat *heartbeat
	keep      func() (rival int, lost bool, err error) // looks after the agent lock
	http      *http.Client
}

func (d *daemon) run(ctx context.Context) error {
	defer d.revive()
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	var stop <-chan struct{}
	if d.Child != nil {
		stop = d.Child.Stop()
	}
	ended := make(chan error, 1)
	d.log.Info("amazon-ssm-agent - v" + stamp.Version())
	d.heartbeat = newHeartbeat(d.Child, d.Layout.Pulse(), d.Channel, d.watchdog, d.log)
	d.heartbeat.keep, d.heartbeat.leave = d.keep, leave
	go d.heartbeat.run(ctx)
	go func() { ended <- d.live(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-stop:
	case <-ctx.Done():
	}
	leave()
	select {
	case <-ended: //nolint:errcheck // the context is why it ended
	case <-time.After(leaveLimit):
		d.log.Warn("the agent ends although work in hand did not stop in time", "limit", leaveLimit)
	}
	d.log.Info("Bye.")
	return nil
}

// revive starts the launcher again where it is gone and no service manager would. It is the last chance: so it sees the new launcher
// at work before it returns.
func (d *daemon) revive() {
	if d.Child == nil || !d.Child.LauncherGone() {
		return
	}
	d.log.Warn("the launcher is gone")
	for n := range reviveTries {
		if n > 1 {
			time.Sleep(time.Second)
		}
		pid, err := launcher.Revive(d.Layout.Pointer())
		switch {
		case err != nil:
			d.log.Error("launcher not started", "error", err)
		case pid == 0 && n == 0:
			time.Sleep(100 * time.Millisecond) // the old one may still be ending
		case pid == 0:
			return // another did, or it was stopped
		case d.launcherRuns(pid):
			d.log.Info("launcher started", "pid", pid)
			return
		}
	}
}

// launcherRuns waits until a launcher is at work; false: the one that was started is gone again.
func (d *daemon) launcherRuns(pid int) bool {
	for end := time.Now().Add(reviveLimit); ; time.Sleep(5 * time.Millisecond) {
		_, running := launcher.Running(d.Layout.Pointer())
		if running || time.Now().After(end) {
			return true
		}
		if !host.Alive(pid) {
			return false
		}
	}
}

// live runs the machine's node, anew when the machine is another node or its settings can be read again.
func (d *daemon) live(ctx context.Context) (err error) {
	if d.http, err = d.connections(ctx); err != nil {
		return err
	}
	go d.background(ctx)
	for {
		settings := config.Read(d.Layout)
		if err := d.liveWith(ctx, settings); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// liveWith runs the node with these settings. Where they stand in for a file that cannot be read, only until that is mended: the
// agent never ends for the sake of its settings.
func (d *daemon) liveWith(ctx context.Context, settings config.Settings) error {
	d.heartbeat.period.Store(int64(installer.BeatPeriod(time.Duration(settings.Agent.UpdateWatchSeconds) * time.Second)))
	now, leave := context.WithCancel(ctx)
	defer leave()
	if settings.Fault != nil {
		d.log.Error("the settings cannot be used", "error", settings.Fault)
		go d.awaitSettings(now, leave)
	}
	id, err := d.identity(now, settings.Config)
	if err == nil {
		d.heartbeat.pulse.Known(id.InstanceID)
		err = d.runNode(now, settings, id)
	}
	if now.Err() != nil {
		return ctx.Err()
	}
	return err
}

// awaitSettings calls leave when the file can be read again.
func (d *daemon) awaitSettings(ctx context.Context, leave func()) {
	for host.Sleep(ctx, identityPeriod) == nil {
		if _, err := config.Load(d.Layout.ConfigFile()); err == nil {
			d.log.Info("the settings can be read again")
			leave()
		}
	}
}

// connections makes the process's HTTP client, which may need a file of certificates.
func (d *daemon) connections(ctx context.Context) (client *http.Client, err error) {
	err = d.until(ctx, "waiting for certificates that can be read", func() error {
		client, err = cloud.HTTP()
		return err
	})
	if err == nil {
		for _, line := range cloud.ProxyLines() {
			d.log.Info(line)
		}
	}
	return client, err
}

// until tries every second until it succeeds: what is wrong here is wrong for every version of the agent, so ending would help no
// version. What is wrong is said once. The error is the context's.
func (d *daemon) until(ctx context.Context, what string, try func() error) error {
	last := ""
	for {
		err := try()
		if err == nil {
			return nil
		}
		if err.Error() != last {
			last = err.Error()
			d.log.Error(what, "error", err)
		}
		if err := host.Sleep(ctx, identityPeriod); err != nil {
			return err
		}
	}
}

// identity waits until the machine has one.
func (d *daemon) identity(ctx context.Context, cfg config.Config) (id *identity.Identity, err error) {
	quiet := identity.Options{HTTP: d.http}
	keeper := identity.Options{HTTP: d.http, Log: d.logs.Logger().With("room", "identity"), Keeper: true}
	err = d.until(ctx, "Identity not found", func() error {
		if _, err := identity.Load(d.Layout, cfg, quiet); err != nil {
			return err
		}
		id, err = identity.Load(d.Layout, cfg, keeper)
		return err
	})
	return id, err
}

// background is work that is not urgent: the program's hash for the pulse, the facts for scanners, the log level, files that a program
// was killed over, the updater.
func (d *daemon) background(ctx context.Context) {
	if host.Sleep(ctx, hashDelay) != nil { // the first ping is more urgent
		return
	}
	if hash, err := host.SHA256File(d.Executable); err == nil {
		d.heartbeat.pulse.Program(hash)
	}
	if err := installer.WriteFacts(d.Layout, d.started); err != nil {
		d.log.Debug("no facts for scanners", "error", err)
	}
	for _, dir := range []string{d.Layout.Data(), d.Layout.Pointer().SlotDir(), filepath.Join(d.Layout.UpdateRoot(), "ask")} {
		host.RemoveUnfinished(dir, time.Now().Add(-unfinishedFor)) // files have the system's time
	}
	if d.Lean {
		debug.FreeOSMemory()
	}
	tick := time.NewTicker(resumePeriod)
	defer tick.Stop()
	for {
		if d.Resume != nil {
			d.Resume()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			d.logs.Reload()
			if d.Lean {
				debug.FreeOSMemory()
			}
		}
	}
}

// workerName is what document workers are called as.
func workerName(l installer.Layout) string { return filepath.Join(l.BinDir(), "ssm-document-worker") }
