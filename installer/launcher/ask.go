package launcher

import (
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// Running names the launcher that runs as the service of an installation; 0 with true is one in another process namespace. A
// launcher must not ask this about itself.
func Running(p pointer.Paths) (pid int, running bool) {
	pid, held, err := host.Holder(p.LauncherLock())
	return pid, held && err == nil
}

// AgentRunning names the agent that runs from an installation. The agent itself must not ask: asking would cost it its lock.
func AgentRunning(p pointer.Paths) (pid int, running bool) {
	pid, held, err := host.Holder(p.AgentLock())
	return pid, held && err == nil
}
