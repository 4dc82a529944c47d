package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

// detached is the service of an installation without a service manager.
type detached struct{ layout installer.Layout }

// How long a launcher may take to come, and to go: after SIGTERM its agent's 5 s, and what a busy machine adds. No caller waits longer
// than it takes.
const (
	coming = 30 * time.Second
	going  = 30 * time.Second
	alone  = 8 * time.Second // for an agent without a launcher, which is killed then
)

func (d detached) Status() (Status, error) {
	pid, running := launcher.Running(d.layout.Pointer())
	_, err := os.Stat(d.layout.Launcher())
	return Status{Kind: "none", Installed: err == nil, Running: running, PID: pid, Boot: Disabled}, nil
}

// where names the installation in errors.
func (d detached) where() string {
	if d.layout.System() {
		return "without a service manager"
	}
	return "under " + d.layout.Root
}

// Start returns when the launcher has its lock.
func (d detached) Start(ctx context.Context) error {
	p := d.layout.Pointer()
	if _, running := launcher.Running(p); running {
		return nil
	}
	pid, err := launcher.Detach(p)
	if err != nil {
		return fmt.Errorf("start the agent %s: %w", d.where(), err)
	}
	_, err = until(ctx, coming, func() bool {
		_, running := launcher.Running(p)
		return running || !host.Alive(pid)
	})
	if _, running := launcher.Running(p); err == nil && !running {
		_ = os.Remove(d.layout.PidFile()) // one that comes all the same ends
		err = d.dead(pid)
	}
	if err != nil {
		return fmt.Errorf("start the agent %s: %w", d.where(), err)
	}
	return nil
}

// dead says why a launcher did not come.
func (d detached) dead(pid int) error {
	if host.Alive(pid) {
		return fmt.Errorf("it does not start within %s, see %s", coming, d.layout.LaunchLog())
	}
	return errors.New("it ended at once, see " + d.layout.LaunchLog())
}

// Stop asks the launcher to end and waits for it and its agent. The pid file goes first: so an agent that loses its launcher in this
// moment does not start another, and a launcher that is just coming to life ends.
func (d detached) Stop(ctx context.Context) error {
	p := d.layout.Pointer()
	pid, running := launcher.Running(p) // by the pid file where the lock's folder is gone
	err := d.unwanted(ctx)
	if err != nil {
		return err
	}
	if now, still := launcher.Running(p); still {
		pid, running = now, true
	}
	if running {
		err = launcher.End(p, pid)
	} else if pid, working := launcher.AgentRunning(p); working { // it lost its launcher
		err = launcher.StopAgent(ctx, p, pid, alone)
	}
	if err != nil {
		return fmt.Errorf("stop the agent %s: %w", d.where(), err)
	}
	ok, err := until(ctx, going, func() bool {
		_, launching := launcher.Running(p)
		_, working := launcher.AgentRunning(p)
		return !launching && !working && !(running && host.Alive(pid))
	})
	if err == nil && !ok {
		err = errors.New("it did not end in time")
	}
	if err != nil {
		return fmt.Errorf("stop the agent %s: %w", d.where(), err)
	}
	return nil
}

// unwanted removes the pid file; on Windows that waits for a launcher that is writing to it.
func (d detached) unwanted(ctx context.Context) (err error) {
	_, _ = until(ctx, time.Second, func() bool {
		if err = os.Remove(d.layout.PidFile()); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return err == nil
	})
	return err
}

// Restart has another launcher take over from the one that runs. It is there before the old one is asked to end, so a caller that is
// interrupted here leaves a service that runs.
func (d detached) Restart(ctx context.Context) error {
	p := d.layout.Pointer()
	old, running := launcher.Running(p)
	if !running {
		return d.Start(ctx)
	}
	agent, _ := launcher.AgentRunning(p)
	pid, err := launcher.Replace(p, old)
	if err == nil {
		_, err = until(ctx, going+coming, func() bool {
			now, running := launcher.Running(p)
			left, working := launcher.AgentRunning(p)
			return running && now != old && !(working && left == agent) || !host.Alive(pid)
		})
	}
	if now, running := launcher.Running(p); err == nil && (!running || now == old) {
		err = d.dead(pid)
	}
	if err != nil {
		return fmt.Errorf("restart the agent %s: %w", d.where(), err)
	}
	return nil
}

// until asks again and again for up to d.
func until(ctx context.Context, d time.Duration, done func() bool) (bool, error) {
	end := time.Now().Add(d)
	for !done() {
		if time.Now().After(end) {
			return false, nil
		}
		if err := host.Sleep(ctx, 5*time.Millisecond); err != nil {
			return false, err
		}
	}
	return true, nil
}
