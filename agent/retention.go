package agent

import (
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// How often outputs are cleaned up, and how many folders at once (spec runcommand 9.7).
const (
	cleanEvery = 15 * time.Minute
	maxClean   = 1000
)

// cleaner removes outputs of commands that ended long ago.
type cleaner struct {
	outputs func(id string) string // folder of a command's outputs; "" all
	open    func(id string) bool
	ssm     config.Ssm
	now     func() time.Time

	mu   sync.Mutex
	last time.Time
}

// finished is called after every answered command.
func (c *cleaner) finished(status, id string) {
	if c.removesAtOnce(status) {
		os.RemoveAll(c.outputs(id))
	}
	c.mu.Lock()
	due := c.now().Sub(c.last) >= cleanEvery
	if due {
		c.last = c.now()
	}
	c.mu.Unlock()
	if due {
		c.pass()
	}
}

// removesAtOnce follows the setting Ssm.OrchestrationDirectoryCleanup.
func (c *cleaner) removesAtOnce(status string) bool {
	switch c.ssm.OrchestrationDirectoryCleanup {
	case "clean-success":
		return status == wire.Success
	case "clean-success-failed":
		return status == wire.Success || status == wire.Failed
	}
	return false
}

func (c *cleaner) pass() {
	entries, _ := os.ReadDir(c.outputs(""))
	removed := 0
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.IsDir() || c.open(e.Name()) {
			continue
		}
		dir := filepath.Join(c.outputs(""), e.Name())
		if c.now().Sub(info.ModTime()) < c.life(dir) {
			continue
		}
		if removed++; removed > maxClean {
			return
		}
		os.RemoveAll(dir)
	}
}

// life is how long a folder is kept; the old layout of associations has folders named after dates.
func (c *cleaner) life(dir string) time.Duration {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if _, err := time.Parse("2006-01-02", e.Name()[:min(10, len(e.Name()))]); err == nil && e.IsDir() {
			return time.Duration(c.ssm.AssociationLogsRetentionDurationHours) * time.Hour
		}
	}
	return time.Duration(c.ssm.RunCommandLogsRetentionDurationHours) * time.Hour
}
