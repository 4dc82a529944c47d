package takeover

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
)

// How often an agent is looked for (docs/protocol/update.md, "Health check after install").
const (
	rounds     = 36
	roundPause = 5 * time.Second
	firstThree = "3.0.0.0" // from here the worker has to run, too
)

// healthy waits until one round finds the agent of a version healthy; the error is the list of what was missing last.
func (w *work) healthy(ctx context.Context, version string) error {
	var missing []string
	for n := range rounds {
		if n > 0 {
			if err := w.System.Pause(ctx, roundPause); err != nil {
				return err
			}
		}
		if missing = w.missing(ctx, version); len(missing) == 0 {
			return nil
		}
		w.Log.Info("not healthy yet", "version", version, "missing", missing)
	}
	return fmt.Errorf("checking svc and agent worker running err[%s]", strings.Join(missing,
		"]["))
}

// missing is one round.
func (w *work) missing(ctx context.Context, version string) (list []string) {
	if !w.serviceRuns(ctx) {
		list = append(list, ", agent service is not running")
	}
	if !below(version, firstThree) && !w.workerRuns() {
		list = append(list, ", agent worker is not running")
	}
	if !original(version) {
		if p, err := installer.ReadPulse(w.Layout.Pulse()); err != nil || p.Version != version || !p.Started.After(w.r.Began) {
			list = append(list, ", no heartbeat of version "+version)
		} else if w.reachable && p.LastRoundTrip.IsZero() {
			list = append(list, ", version "+version+" has not reached the service")
		}
	}
	return list
}

// serviceRuns asks the service manager; macOS is asked for the process.
func (w *work) serviceRuns(ctx context.Context) bool {
	m, ok := managerNamed(w.System.Manager)
	if !ok || len(m.is) == 0 {
		return w.processRuns(w.Layout.Launcher())
	}
	for _, command := range m.is {
		out, code, err := w.System.Run(ctx, "", 30*time.Second, command...)
		if err == nil && code == 0 {
			return strings.Contains(out, m.runs)
		}
	}
	return false
}

// snapUnit is where a snap's folder stands written.
const snapUnit = "/etc/systemd/system/snap.amazon-ssm-agent.amazon-ssm-agent.service"

// workerRuns looks for the worker under the path that originals look for.
func (w *work) workerRuns() bool {
	if w.System.Snap {
		text, _ := os.ReadFile(filepath.Join(w.System.Root+"/", snapUnit))
		for line := range strings.Lines(string(text)) {
			if _, dir, ok := strings.Cut(strings.TrimSpace(line), "WorkingDirectory=/var"); ok && w.processRuns(dir+"/ssm-agent-worker") {
				return true
			}
		}
	}
	return w.processRuns(w.Layout.Worker())
}

func (w *work) processRuns(path string) bool {
	return slices.ContainsFunc(w.System.Commands(), func(c []string) bool {
		return c[0] == path || w.System.OS == "windows" && strings.EqualFold(filepath.Base(c[0]), filepath.Base(path))
	})
}
