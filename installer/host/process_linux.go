package host

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"
)

// errStat says that /proc could not be understood.
var errStat = errors.New("unexpected content in /proc")

// statFields are the fields of /proc/<pid>/stat behind the name: state first.
func statFields(pid int) ([]string, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil, err
	}
	at := strings.LastIndexByte(string(b), ')')
	if at < 0 {
		return nil, errStat
	}
	return strings.Fields(string(b[at+1:])), nil
}

// ended reports whether the process is only waiting to be waited for.
func ended(pid int) bool {
	f, err := statFields(pid)
	return err == nil && len(f) > 0 && (f[0] == "Z" || f[0] == "X")
}

// ProcessExecutable is the file a process runs. A file that was replaced or removed is named as it was.
func ProcessExecutable(pid int) (string, error) {
	exe, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	return strings.TrimSuffix(exe, " (deleted)"), err
}

// ProcessArguments is the command line of a process, argv[0] first.
func ProcessArguments(pid int) ([]string, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00"), nil
}

// ProcessStart is when a process started, to about a second.
func ProcessStart(pid int) (time.Time, error) {
	f, err := statFields(pid)
	if err != nil {
		return time.Time{}, err
	}
	if len(f) < 20 {
		return time.Time{}, errStat
	}
	ticks, err := strconv.ParseInt(f[19], 10, 64)
	if err != nil {
		return time.Time{}, errStat
	}
	boot, err := bootTime()
	const perSecond = 100 // USER_HZ, the same on every architecture Go runs on
	return boot.Add(time.Duration(ticks) * time.Second / perSecond), err
}

func bootTime() (time.Time, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}, err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "btime "); ok {
			seconds, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			return time.Unix(seconds, 0), err
		}
	}
	return time.Time{}, errStat
}

// Processes are the ids of all processes this one can see.
func Processes() ([]int, error) {
	d, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
