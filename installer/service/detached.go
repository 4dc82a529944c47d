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

// kill is how long a launcher may take after SIGTERM: its agent's 5 s, and some.
const kill = 8 * time.Second

func (d detached) Status() (Status, error) {
	pid, running := launcher.Running(d.layout.Pointer())
	_, err := os.Stat(d.layout.Launcher())
	return Status{Kind: "none", Installed: err == nil, Running: running, PID: pid}, nil
}

// Start returns when the launcher has its lock.
func (d detached) Start(ctx context.Context) error {
	p := d.layout.Pointer()
	if _, running := launcher.Running(p); running {
		return nil
	}
	pid, err := launcher.Detach(p)
	if err != nil {
		return fmt.Errorf("start the agent under %s: %w", d.layout.Root, err)
	}
	ok, err := until(ctx, 5*time.Second, func() bool {
		_, running := launcher.Running(p)
		return running || !host.Alive(pid)
	})
	if _, running := launcher.Running(p); err == nil && (!ok || !running) {
		err = errors.New("it ended at once, see " + d.layout.LaunchLog())
	}
	if err != nil {
		return fmt.Errorf("start the agent under %s: %w", d.layout.Root, err)
	}
	return nil
}

// Stop asks the launcher to end and waits for it and its agent. The pid file goes first, so that an agent that loses its launcher
// in this moment does not start another.
func (d detached) Stop(ctx context.Context) error {
	p := d.layout.Pointer()
	if err := os.Remove(d.layout.PidFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var err error
	if pid, running := launcher.Running(p); running {
		err = launcher.End(p, pid)
	} else { // an agent that lost its launcher
		_, err = launcher.SendAway(ctx, p, kill)
	}
	if err != nil {
		return fmt.Errorf("stop the agent under %s: %w", d.layout.Root, err)
	}
	ok, err := until(ctx, kill, func() bool {
		_, launching := launcher.Running(p)
		_, working := launcher.AgentRunning(p)
		return !launching && !working
	})
	if err == nil && !ok {
		err = errors.New("it did not end in time")
	}
	if err != nil {
		return fmt.Errorf("stop the agent under %s: %w", d.layout.Root, err)
	}
	return nil
}

func (d detached) Restart(ctx context.Context) error {
	if err := d.Stop(ctx); err != nil {
		return err
	}
	return d.Start(ctx)
}

// until asks again and again for up to d.
func until(ctx context.Context, d time.Duration, done func() bool) (bool, error) {
	end := time.Now().Add(d)
	for !done() {
		if time.Now().After(end) {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	return true, nil
}
