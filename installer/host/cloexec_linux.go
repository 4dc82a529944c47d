package host

import (
	"os"
	"strconv"
	"syscall"
)

// CloseOnExec marks every descriptor from first on, so that no program started later inherits one.
func CloseOnExec(first int) {
	d, err := os.Open("/proc/self/fd")
	if err != nil {
		closeOnExecUpTo(first, 256)
		return
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	for _, name := range names {
		if fd, err := strconv.Atoi(name); err == nil && fd >= first {
			syscall.CloseOnExec(fd)
		}
	}
}

func closeOnExecUpTo(first, end int) {
	for fd := first; fd < end; fd++ {
		syscall.CloseOnExec(fd)
	}
}
