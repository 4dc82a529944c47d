package launcher

import (
	"errors"

	"golang.org/x/sys/windows"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// askAgent asks an agent to leave. One that has no event, because it was started by hand or is about to end, is not told: the
// caller's patience decides.
func askAgent(p pointer.Paths, pid int) error {
	err := set(p, agentRole, pid)
	if errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return nil
	}
	return err
}

// askLauncher asks a launcher to end.
func askLauncher(p pointer.Paths, pid int) error { return set(p, launcherRole, pid) }
