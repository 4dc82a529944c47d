package setup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

// AwaitPing waits until the agent of this node had a round trip to the service after since, at most for patience. It returns how
// long that took, counted from now; [ErrUnhealthy] says that it did not happen, [ErrNoExec] that no update could run on this host.
func (i Installation) AwaitPing(ctx context.Context, instanceID string, since time.Time, patience time.Duration) (time.Duration, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		p, err := installer.ReadPulse(i.Pulse())
		if err == nil && p.InstanceID == instanceID && !p.LastRoundTrip.Before(since) && alive(i.Layout, p) {
			return time.Since(began), updatable(i.Layout)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return time.Since(began), unhealthy(ctx, i.Layout, p, patience)
		}
	}
}

// updatable fails where the host is reached today and never changes again.
func updatable(l installer.Layout) error {
	if dir := l.StoreDir(); host.NoExec(dir) {
		return fmt.Errorf("%w: %s", ErrNoExec, dir)
	}
	return nil
}

// alive tells whether the agent that wrote a pulse still runs.
func alive(l installer.Layout, p installer.Pulse) bool {
	pid, running := launcher.AgentRunning(l.Pointer())
	return running && (pid == p.PID || pid == 0)
}

// unhealthy says what is known about an agent that did not ping.
func unhealthy(ctx context.Context, l installer.Layout, p installer.Pulse, patience time.Duration) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ctx.Err()
	}
	_, launched := launcher.Running(l.Pointer())
	_, running := launcher.AgentRunning(l.Pointer())
	switch {
	case !launched:
		return fmt.Errorf("%w within %s: its launcher does not run", ErrUnhealthy, patience)
	case !running:
		return fmt.Errorf("%w within %s: the agent ends as soon as it is started", ErrUnhealthy, patience)
	case p.LastFault != "":
		return fmt.Errorf("%w within %s: %s", ErrUnhealthy, patience, p.LastFault)
	}
	return fmt.Errorf("%w within %s", ErrUnhealthy, patience)
}
