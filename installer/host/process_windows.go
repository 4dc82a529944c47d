package host

import (
	"errors"
	"time"

	"golang.org/x/sys/windows"
)

// Alive reports whether a process with this id runs.
func Alive(pid int) bool {
	h, err := openProcess(pid)
	if err != nil {
		return errors.Is(err, windows.ERROR_ACCESS_DENIED)
	}
	defer windows.CloseHandle(h)
	const stillActive = 259
	var code uint32
	return windows.GetExitCodeProcess(h, &code) == nil && code == stillActive
}

// KillGroup would kill a process with its children; a job object has to be made at their start for that.
func KillGroup(int) error { return errors.ErrUnsupported }

// ProcessExecutable is the file a process runs.
func ProcessExecutable(pid int) (string, error) {
	h, err := openProcess(pid)
	if err != nil {
		return "", err
	}
	defer windows.CloseHandle(h)
	buf := make([]uint16, windows.MAX_LONG_PATH)
	n := uint32(len(buf))
	if err := windows.QueryFullProcessImageName(h, 0, &buf[0], &n); err != nil {
		return "", err
	}
	return windows.UTF16ToString(buf[:n]), nil
}

// ProcessArguments is the command line of a process; not asked for on this system.
func ProcessArguments(int) ([]string, error) { return nil, errors.ErrUnsupported }

// ProcessStart is when a process started.
func ProcessStart(pid int) (time.Time, error) {
	h, err := openProcess(pid)
	if err != nil {
		return time.Time{}, err
	}
	defer windows.CloseHandle(h)
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &created, &exited, &kernel, &user); err != nil {
		return time.Time{}, err
	}
	return time.Unix(0, created.Nanoseconds()), nil
}

// Processes would be the ids of all processes.
func Processes() ([]int, error) { return nil, errors.ErrUnsupported }

func openProcess(pid int) (windows.Handle, error) {
	if pid <= 0 {
		return 0, windows.ERROR_INVALID_PARAMETER
	}
	return windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
}
