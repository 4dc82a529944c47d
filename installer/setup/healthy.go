package setup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// probePause is the wait between two round trips that are made to see what the region says of a node; probeTries is how many have to be
// refused.
const (
	probePause = time.Second
	probeTries = 3
)

// recent is how long ago the last round trip of a running agent may be: its polls take 20 s at most.
const recent = 2 * time.Minute

// AwaitPing waits until the agent of this node is healthy, at most for patience. One that was started anew, at since, has to make a round
// trip to the service itself. One that goes on running, with a zero since, made its last one a moment ago, and one is made now, by
// [Ports.Probe]: a node may have been deregistered meanwhile. It returns how long that took; [ErrUnhealthy] says that it did not happen,
// with what the region answers, [ErrNoExec]
// that no update could run on this host.
func (i Installation) AwaitPing(ctx context.Context, instanceID string, since time.Time, patience time.Duration) (time.Duration, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		p, err := installer.ReadPulse(i.Pulse())
		if err == nil && p.InstanceID == instanceID && i.pinged(p, since) && alive(i.Layout, p) {
			if err := i.asked(ctx, since); err != nil {
				return time.Since(began), err
			}
			return time.Since(began), updatable(i.Layout)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return time.Since(began), i.unhealthy(ctx, p, patience)
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

// pinged tells whether an agent made a round trip that counts.
func (i Installation) pinged(p installer.Pulse, since time.Time) bool {
	if since.IsZero() {
		return !p.LastRoundTrip.IsZero() && (i.Ports.Probe != nil || time.Since(p.LastRoundTrip) < recent)
	}
	return !p.LastRoundTrip.Before(since)
}

// asked makes a round trip for an agent that goes on running.
func (i Installation) asked(ctx context.Context, since time.Time) error {
	if !since.IsZero() || i.Ports.Probe == nil {
		return nil
	}
	tick := time.NewTicker(probePause)
	defer tick.Stop()
	for n := 1; ; n++ {
		err := i.Ports.Probe(ctx, i.Layout)
		if err == nil {
			return nil
		}
		if n == probeTries || ctx.Err() != nil {
			return refusedNode(err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// refusedNode is [ErrUnhealthy] with what the region answered, and the way out where it knows no such node.
func refusedNode(err error) error {
	hint := ""
	if fault.Of(err) == fault.Refused {
		hint = "if the node was deregistered, or this machine is a copy of another: ssm-setup register --override, with a new activation"
	}
	return fault.Wrap(fault.Unhealthy, fmt.Errorf("%w: the region answers: %w", ErrUnhealthy, err), hint)
}

// alive tells whether the agent that wrote a pulse still runs.
func alive(l installer.Layout, p installer.Pulse) bool {
	pid, running := launcher.AgentRunning(l.Pointer())
	return running && (pid == p.PID || pid == 0)
}

// askLast is how long the region may take to say what is wrong, after the patience with the agent is over.
const askLast = 10 * time.Second

// unhealthy says what is known about an agent that did not ping.
func (i Installation) unhealthy(ctx context.Context, p installer.Pulse, patience time.Duration) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ctx.Err()
	}
	_, launched := launcher.Running(i.Pointer())
	_, running := launcher.AgentRunning(i.Pointer())
	switch {
	case !launched:
		return fmt.Errorf("%w within %s: its launcher does not run", ErrUnhealthy, patience)
	case !running:
		return fmt.Errorf("%w within %s: the agent ends as soon as it is started", ErrUnhealthy, patience)
	}
	if i.Ports.Probe != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askLast)
		defer cancel()
		if err := i.Ports.Probe(ctx, i.Layout); fault.Of(err) == fault.Refused {
			return refusedNode(err)
		}
	}
	if p.LastFault != "" {
		return fmt.Errorf("%w within %s: %s", ErrUnhealthy, patience, p.LastFault)
	}
	return fmt.Errorf("%w within %s", ErrUnhealthy, patience)
}
