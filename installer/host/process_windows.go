package host

import (
	"errors"
	"time"
	"unsafe"

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

// KillGroup kills a process and its descendants; none is no error. A descendant whose own parent had ended before is not found:
// this system keeps no groups.
func KillGroup(pid int) error {
	if pid <= 0 {
		return windows.ERROR_INVALID_PARAMETER
	}
	parents, err := processParents()
	if err != nil {
		return err
	}
	err = terminate(pid)
	started, _ := ProcessStart(pid)
	for child, parent := range parents {
		if parent != pid || child == pid {
			continue
		}
		if born, err := ProcessStart(child); err == nil && born.Before(started) {
			continue // of an earlier process with that id
		}
		err = errors.Join(err, KillGroup(child))
	}
	return err
}

// terminate ends one process; one that is gone is no error.
func terminate(pid int) error {
	h, err := windows.OpenProcess(windows.PROCESS_TERMINATE, false, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return nil
	}
	if err != nil {
		return err
	}
	defer windows.CloseHandle(h)
	if err := windows.TerminateProcess(h, 1); err != nil && Alive(pid) {
		return err
	}
	return nil
}

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

// ProcessArguments is the command line of a process, the program's name first.
func ProcessArguments(pid int) ([]string, error) {
	h, err := openProcess(pid)
	if err != nil {
		return nil, err
	}
	defer windows.CloseHandle(h)
	buf := make([]byte, unsafe.Sizeof(windows.NTUnicodeString{})+1<<16)
	var n uint32
	err = windows.NtQueryInformationProcess(h, windows.ProcessCommandLineInformation, unsafe.Pointer(&buf[0]), uint32(len(buf)), &n)
	if err != nil {
		return nil, err
	}
	return windows.DecomposeCommandLine((*windows.NTUnicodeString)(unsafe.Pointer(&buf[0])).String())
}

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

// Processes are the ids of all processes.
func Processes() ([]int, error) {
	parents, err := processParents()
	pids := make([]int, 0, len(parents))
	for pid := range parents {
		pids = append(pids, pid)
	}
	return pids, err
}

// processParents are all processes with the ids of those that started them.
func processParents() (map[int]int, error) {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil, err
	}
	defer windows.CloseHandle(snapshot)
	out := map[int]int{}
	e := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(snapshot, &e); err == nil; err = windows.Process32Next(snapshot, &e) {
		out[int(e.ProcessID)] = int(e.ParentProcessID)
	}
	if errors.Is(err, windows.ERROR_NO_MORE_FILES) {
		err = nil
	}
	return out, err
}

func openProcess(pid int) (windows.Handle, error) {
	if pid <= 0 {
		return 0, windows.ERROR_INVALID_PARAMETER
	}
	return windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
}
