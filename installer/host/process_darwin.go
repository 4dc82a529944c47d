package host

import (
	"bytes"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

func ended(pid int) bool {
	const zombie = 5 // SZOMB
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	return err == nil && info.Proc.P_stat == zombie
}

// ProcessExecutable is the file a process runs.
func ProcessExecutable(pid int) (string, error) {
	b, err := unix.SysctlRaw("kern.procargs2", pid)
	if err != nil {
		return "", err
	}
	const count = 4 // argc comes first
	if len(b) <= count {
		return "", errors.ErrUnsupported
	}
	path, _, _ := bytes.Cut(b[count:], []byte{0})
	return string(path), nil
}

// ProcessArguments is the command line of a process; not asked for on this system.
func ProcessArguments(int) ([]string, error) { return nil, errors.ErrUnsupported }

// ProcessStart is when a process started.
func ProcessStart(pid int) (time.Time, error) {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return time.Time{}, err
	}
	t := info.Proc.P_starttime
	return time.Unix(t.Sec, int64(t.Usec)*1000), nil
}

// Processes are the ids of all processes this one can see.
func Processes() ([]int, error) {
	all, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, err
	}
	pids := make([]int, 0, len(all))
	for _, p := range all {
		pids = append(pids, int(p.Proc.P_pid))
	}
	return pids, nil
}
