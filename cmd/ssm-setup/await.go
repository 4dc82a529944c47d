package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
)

func waitFlag() cli.Flag {
	return &cli.DurationFlag{Name: "wait", Value: time.Minute, Usage: "how long to wait for the first healthy ping"}
}

// errUnhealthy says that the agent was installed and started, and did not become healthy.
var errUnhealthy = fault.New(fault.Unhealthy, "no healthy ping", "")

// awaitPing waits until the agent of this instance had a round trip to the service after since. It returns how long that
// took, counted from now.
func awaitPing(ctx context.Context, l installer.Layout, id string, since time.Time, patience time.Duration) (time.Duration, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		p, err := installer.ReadPulse(l.Pulse())
		if err == nil && p.InstanceID == id && !p.LastRoundTrip.Before(since) && alive(l, p) {
			return time.Since(began), nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return time.Since(began), unhealthy(ctx, l, p, patience)
		}
	}
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
		return fmt.Errorf("%w within %s: its launcher does not run", errUnhealthy, patience)
	case !running:
		return fmt.Errorf("%w within %s: the agent ends as soon as it is started", errUnhealthy, patience)
	case p.LastFault != "":
		return fmt.Errorf("%w within %s: %s", errUnhealthy, patience, p.LastFault)
	}
	return fmt.Errorf("%w within %s", errUnhealthy, patience)
}
