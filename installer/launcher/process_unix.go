//go:build unix

package launcher

import (
	"errors"
	"os"
	"strconv"
	"syscall"
	"time"
)

// children are all children of this process, also orphans where it is process 1.
type children struct{}

// next collects one that ended.
func (children) next() (pid int, how string, ended bool) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return 0, "", false
		}
		how = "exit code " + strconv.Itoa(status.ExitStatus())
		if status.Signaled() {
			how = "signal " + strconv.Itoa(int(status.Signal()))
		}
		return pid, how, true
	}
}

// spawn starts a program in a session of its own: nothing to read, output to the outlet, and the descriptors in more from 3 on.
func (l *loop) spawn(file string, argv, env []string, more ...uintptr) (int, error) {
	null, err := syscall.Open(os.DevNull, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		null = 0
	} else {
		defer syscall.Close(null)
	}
	out := l.outlet.stream(uintptr(null))
	files := append([]uintptr{uintptr(null), out, out}, more...)
	attr := &syscall.ProcAttr{Env: env, Files: files, Sys: &syscall.SysProcAttr{Setsid: true}}
	for range 10 {
		var pid int
		pid, err = syscall.ForkExec(file, argv, attr)
		if err != syscall.ETXTBSY {
			return pid, err
		}
		time.Sleep(20 * time.Millisecond) // another thread forked while the file was being written
	}
	return 0, err
}

// noRoom are the errors of a system without room for another process.
func noRoom() []error {
	return []error{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE}
}

// kill ends a process at once.
func kill(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }

// terminate asks a process to end.
func terminate(pid int) error { return syscall.Kill(pid, syscall.SIGTERM) }

// gone reports whether an error says that there is no such process.
func gone(err error) bool { return errors.Is(err, syscall.ESRCH) }
