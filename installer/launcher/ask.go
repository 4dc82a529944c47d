package launcher

import (
	"os"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// Running names the launcher that runs as the service of an installation; 0 with true is one in another process namespace. A
// launcher must not ask this about itself.
func Running(p pointer.Paths) (pid int, running bool) {
	pid, held, err := host.Holder(p.LauncherLock())
	if err == nil && held {
		return pid, true
	}
	return claimed(p)
}

// claimed names the launcher whose id is in the pid file, if it lives: one that lost the folder of its lock has not noticed yet.
func claimed(p pointer.Paths) (pid int, alive bool) {
	text, err := os.ReadFile(p.PidFile())
	if err != nil {
		return 0, false
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid == os.Getpid() || !host.Alive(pid) || !host.Trusted(pid) {
		return 0, false
	}
	exe, err := host.ProcessExecutable(pid)
	return pid, err == nil && pointer.SamePath(exe, p.Launcher())
}

// AgentRunning names the agent that runs from an installation. The agent itself must not ask: asking would cost it its lock.
func AgentRunning(p pointer.Paths) (pid int, running bool) {
	pid, held, err := host.Holder(p.AgentLock())
	return pid, held && err == nil
}
