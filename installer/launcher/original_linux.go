package launcher

import (
	"bytes"
	"io"
	"os"
	"strconv"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// original finds the main program of an original agent: a process that was started from the launcher's path without arguments
// and whose program, which may have been replaced on disk since, is not this one in any build. 0 = none.
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
		if args, err := host.ProcessArguments(pid); err == nil && len(args) == 1 && foreign(pid) {
			return pid
		}
	}
	return 0
}

// foreign reports whether a process runs a program that this very package is no part of.
func foreign(pid int) bool {
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/exe")
	if err != nil {
		return false
	}
	defer f.Close()
	mark := []byte("ssm-setup/installer/launcher") // in the function names of every build, stamped or not
	buf := make([]byte, 0, 64<<10)
	for {
		n, err := f.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if bytes.Contains(buf, mark) {
			return false
		}
		if err != nil {
			return err == io.EOF
		}
		keep := min(len(buf), len(mark))
		buf = buf[:copy(buf, buf[len(buf)-keep:])]
	}
}
