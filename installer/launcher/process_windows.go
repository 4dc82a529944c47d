package launcher

import (
	"errors"
	"os"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/windows"
)

// children are the children this process started. The handle of one that ended is kept until it is collected: so long no program
// else gets its id.
type children struct {
	mu   sync.Mutex
	ends []ended
}

type ended struct {
	process windows.Handle
	pid     int
	how     string
}

// next collects one that ended.
func (c *children) next() (pid int, how string, found bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ends) == 0 {
		return 0, "", false
	}
	e := c.ends[0]
	c.ends = c.ends[1:]
	windows.CloseHandle(e.process)
	return e.pid, e.how, true
}

// spawn starts a program in a process group of its own, on a console that is not shown: nothing to read, output to the outlet, and
// the handles in more inherited.
func (l *loop) spawn(file string, argv, env []string, more ...uintptr) (int, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	out := l.outlet.stream(null.Fd())
	sys := &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_NO_WINDOW}
	for _, h := range more {
		sys.AdditionalInheritedHandles = append(sys.AdditionalInheritedHandles, syscall.Handle(h))
	}
	pid, handle, err := syscall.StartProcess(file, argv,
		&syscall.ProcAttr{Env: env, Files: []uintptr{null.Fd(), out, out}, Sys: sys})
	if err != nil {
		return 0, err
	}
	go l.waitFor(pid, windows.Handle(handle))
	return pid, nil
}

// waitFor puts a child that ended where the loop collects it.
func (l *loop) waitFor(pid int, process windows.Handle) {
	_, _ = windows.WaitForSingleObject(process, windows.INFINITE)
	var code uint32
	_ = windows.GetExitCodeProcess(process, &code)
	l.children.mu.Lock()
	l.children.ends = append(l.children.ends, ended{process, pid, "exit code " + strconv.FormatUint(uint64(code), 10)})
	l.children.mu.Unlock()
	nudge(l.ended)
}

// nudge says that something happened; one who was told already needs no second word.
func nudge(c chan os.Signal) {
	select {
	case c <- os.Interrupt:
	default:
	}
}

// noRoom are the errors of a system without room for another process.
func noRoom() []error {
	return []error{windows.ERROR_NOT_ENOUGH_MEMORY, windows.ERROR_COMMITMENT_LIMIT, windows.ERROR_NO_SYSTEM_RESOURCES,
		windows.ERROR_TOO_MANY_OPEN_FILES, windows.ERROR_NOT_ENOUGH_QUOTA, windows.ERROR_MAX_THRDS_REACHED}
}

// kill ends a process at once.
func kill(pid int) error {
	h, err := windows.OpenProcess(windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		return err
	}
	defer windows.CloseHandle(h)
	return windows.TerminateProcess(h, 1)
}

// terminate ends a process that is not of ours. There is no word for it on this system: the service manager would have been asked, and
// that knows only this service by now.
func terminate(pid int) error { return kill(pid) }

// gone reports whether an error says that there is no such process or event any more.
func gone(err error) bool {
	return errors.Is(err, windows.ERROR_INVALID_PARAMETER) || errors.Is(err, windows.ERROR_FILE_NOT_FOUND)
}
