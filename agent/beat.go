package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/health"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// beater tells the launcher (a byte in a pipe) and everybody else (the pulse file) that this agent lives.
type beater struct {
	child  *launcher.Child // nil without a launcher
	pulse  *health.Pulse
	pace   *pace
	period atomic.Int64
	log    *slog.Logger
}

// beatPeriod is how often, for a watch of so many seconds: often enough that two thirds of the watch without a pulse are
// silence and not bad luck.
func beatPeriod(watchSeconds int) time.Duration {
	return min(5*time.Second, time.Duration(watchSeconds)*time.Second/6)
}

func newBeater(child *launcher.Child, path string, pace *pace, log *slog.Logger) *beater {
	boot, _ := host.BootID()
	p := installer.Pulse{PID: os.Getpid(), Started: time.Now().UTC(), Version: stamp.Version(), BootID: boot}
	if child != nil {
		p.Sequence = child.Sequence()
	}
	b := &beater{child: child, pulse: health.NewPulse(path, p, func() time.Time { return time.Now().UTC() }), pace: pace, log: log}
	b.period.Store(int64(beatPeriod(1))) // until the configuration is read
	return b
}

// run beats until the context ends. An agent that is stuck says so once, and falls silent.
func (b *beater) run(ctx context.Context) {
	silent := false
	for {
		what, stuck := b.pace.stuck()
		switch {
		case !stuck:
			b.beat()
		case !silent:
			b.log.Error("the agent is stuck and stops beating", "loop", what)
		}
		silent = stuck
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(b.period.Load())):
		}
	}
}

func (b *beater) beat() {
	if b.child != nil {
		b.child.Beat()
	}
	if err := b.pulse.Beat(); err != nil {
		b.log.Debug("pulse not written", "error", err)
	}
}

// hashOf is the SHA-256 of a file in hex; empty when it cannot be read.
func hashOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}
