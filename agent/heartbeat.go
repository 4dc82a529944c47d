package agent

import (
	"context"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/health"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/agent/watchdog"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// heartbeat tells the launcher (a byte in a pipe) and every other program (the pulse file) that this agent lives.
type heartbeat struct {
	child    *launcher.Child // nil without a launcher
	pulse    *health.Pulse
	watchdog *watchdog.Watchdog
	period   atomic.Int64 // nanoseconds
	log      *slog.Logger

	keep  func() (rival int, lost bool, err error) // looks after the agent lock; nil: there is none
	leave func()                                   // this agent ends; nil: it cannot
	lost  bool                                     // the lock cannot be taken anew, which was said
}

func newHeartbeat(child *launcher.Child, path string, channel bool, w *watchdog.Watchdog, log *slog.Logger) *heartbeat {
	boot, _ := host.BootID()
	p := installer.Pulse{PID: os.Getpid(), Started: time.Now().UTC(), Version: stamp.Version(), BootID: boot}
	if child != nil {
		p.Sequence = child.Sequence()
	}
	h := &heartbeat{child: child, pulse: health.NewPulse(path, p, func() time.Time { return time.Now().UTC() }, mailbox.Names(channel)...),
		watchdog: w, log: log}
	h.period.Store(int64(installer.BeatPeriod(time.Second))) // until the configuration is read
	return h
}

// run beats until the context ends. An agent that is stuck says so once, and falls silent.
func (h *heartbeat) run(ctx context.Context) {
	silent := false
	for {
		what, stuck := h.watchdog.Stuck()
		switch {
		case !stuck:
			h.beat()
		case !silent:
			h.log.Error("the agent is stuck and sends no more heartbeats", "loop", what)
		}
		silent = stuck
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(h.period.Load())):
		}
	}
}

func (h *heartbeat) beat() {
	if h.child != nil {
		h.child.Beat()
	}
	if err := h.pulse.Beat(); err != nil {
		h.log.Debug("pulse not written", "error", err)
	}
	if h.keep != nil {
		h.keepLock()
	}
}

// keepLock takes the agent lock anew where its folder was removed or moved, and gives way to an agent that has it by now.
func (h *heartbeat) keepLock() {
	rival, lost, err := h.keep()
	if err != nil && !h.lost {
		h.log.Warn("cannot take the agent lock anew, its folder is gone", "error", err)
	}
	if h.lost = err != nil; lost && h.leave != nil {
		h.log.Error("another agent has the agent lock, for its folder was removed or moved: this one ends", "process", rival)
		h.leave()
	}
}
