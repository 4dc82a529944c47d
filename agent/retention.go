package agent

import (
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// How often outputs are cleaned up, and how many folders at once (docs/protocol/runcommand.md, "Retention of outputs").
const (
	cleanEvery = 15 * time.Minute
	maxClean   = 1000
)

// retention removes outputs of commands that ended long ago.
type retention struct {
	outputs string               // folder of the outputs of all commands, by their ids
	open    func(id string) bool // the command is still in hand
	ssm     config.Ssm
	now     func() time.Time

	mu   sync.Mutex
	last time.Time
}

// finished is called after every answered command.
func (r *retention) finished(status string, id host.Name) {
	if r.removesAtOnce(status) {
		os.RemoveAll(id.In(r.outputs))
	}
	r.mu.Lock()
	due := r.now().Sub(r.last) >= cleanEvery
	if due {
		r.last = r.now()
	}
	r.mu.Unlock()
	if due {
		r.pass()
	}
}

// removesAtOnce follows the setting Ssm.OrchestrationDirectoryCleanup.
func (r *retention) removesAtOnce(status string) bool {
	switch r.ssm.OrchestrationDirectoryCleanup {
	case "clean-success":
		return status == wire.Success
	case "clean-success-failed":
		return status == wire.Success || status == wire.Failed
	}
	return false
}

func (r *retention) pass() {
	entries, _ := os.ReadDir(r.outputs)
	removed := 0
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.IsDir() || r.open(e.Name()) {
			continue
		}
		dir := filepath.Join(r.outputs, e.Name())
		if r.now().Sub(info.ModTime()) < r.keptFor(dir) {
			continue
		}
		if removed++; removed > maxClean {
			return
		}
		os.RemoveAll(dir)
	}
}

// keptFor is how long a folder is kept; the old layout of associations has folders named after dates.
func (r *retention) keptFor(dir string) time.Duration {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if _, err := time.Parse("2006-01-02", e.Name()[:min(10, len(e.Name()))]); err == nil && e.IsDir() {
			return time.Duration(r.ssm.AssociationLogsRetentionDurationHours) * time.Hour
		}
	}
	return time.Duration(r.ssm.RunCommandLogsRetentionDurationHours) * time.Hour
}
