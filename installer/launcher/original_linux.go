package launcher

import (
	"errors"
	"os"
	"strconv"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// original finds the main program of an original agent: a process that was started from the launcher's path without arguments
// and whose program, which may have been replaced on disk since, carries no stamp of ours. 0 = none.
func original(p pointer.Paths) int {
	pids, err := host.Processes()
	if err != nil {
		return 0
	}
	for _, pid := range pids {
		exe, err := host.ProcessExecutable(pid)
		if pid == os.Getpid() || err != nil || exe != p.Launcher() {
			continue
		}
		if args, err := host.ProcessArguments(pid); err == nil && len(args) == 1 && unstamped(pid) {
			return pid
		}
	}
	return 0
}

func unstamped(pid int) bool {
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/exe")
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = stamp.Find(f)
	return errors.Is(err, stamp.ErrNoMarker)
}
