package launcher

import (
	"context"
	"errors"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// ErrNotOurs says that the agent lock is held by a process that this one cannot or must not end.
var ErrNotOurs = errors.New("the agent lock is held by a process that is not of this installation")

// StopAgent asks the agent that is the process pid to leave, waits, and kills it when patience is over; the launcher then starts
// whatever the pointer names. No other process is touched: where another agent runs by now, or none, nothing is to be done. An updater
// calls it after the pointer is written, with the process that it judged.
func StopAgent(ctx context.Context, p pointer.Paths, pid int, patience time.Duration) error {
	if now, running := AgentRunning(p); !running || now != pid {
		return nil
	}
	if !owned(p, pid) {
		return notOurs(pid)
	}
	if err := askAgent(p, pid); err != nil {
		return ignoreGone(err)
	}
	if waitGone(ctx, p, pid, patience) {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if now, running := AgentRunning(p); !running || now != pid {
		return nil
	}
	if err := kill(pid); err != nil {
		return ignoreGone(err)
	}
	if !waitGone(ctx, p, pid, patience) {
		return context.DeadlineExceeded
	}
	return nil
}

// waitGone reports whether the agent lock left the process within d.
func waitGone(ctx context.Context, p pointer.Paths, pid int, d time.Duration) bool {
	end := time.NewTimer(d)
	defer end.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		if now, running := AgentRunning(p); !running || now != pid {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-end.C:
			return false
		case <-look.C:
		}
	}
}

// notOurs is the error for a process that runs no program of the installation; one that ended meanwhile runs none, and is no error.
func notOurs(pid int) error {
	if !host.Alive(pid) {
		return nil
	}
	return ErrNotOurs
}

func ignoreGone(err error) error {
	if gone(err) {
		return nil
	}
	return err
}

// End asks the launcher of an installation to end, which takes its agent with it.
func End(p pointer.Paths, pid int) error {
	if !owned(p, pid) {
		return notOurs(pid)
	}
	return ignoreGone(askLauncher(p, pid))
}
