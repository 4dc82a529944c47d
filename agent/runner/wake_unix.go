//go:build unix

package runner

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// wakeVariable tells the worker that descriptor 3 is the far end of its reader's pipe.
const (
	wakeVariable = "SSM_DOCUMENT_WORKER_WAKE"
	wakeFD       = 3
)

// bell gives the worker a pipe to ring; the near end is read by [ring]. The far end is to be closed after the start.
func bell(cmd *exec.Cmd) (near, far *os.File, err error) {
	near, far, err = os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	cmd.ExtraFiles = []*os.File{far}
	cmd.Env = append(cmd.Environ(), wakeVariable+"=1")
	return near, far, nil
}

// farEnd is the worker's side: a function that rings, and one that tells whether the agent that started this worker is gone. The
// variable does not reach a script.
func farEnd() (ring func(), gone func() bool) {
	if os.Getenv(wakeVariable) == "" {
		return func() {}, func() bool { return true }
	}
	os.Unsetenv(wakeVariable)
	_ = syscall.SetNonblock(wakeFD, true)
	ring = func() {
		_, _ = syscall.Write(wakeFD, []byte{1}) // full: the reader is awake already; broken: the agent is gone
	}
	gone = func() bool {
		pipe := []unix.PollFd{{Fd: wakeFD}}
		_, err := unix.Poll(pipe, 0)
		return err != nil || pipe[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0
	}
	return ring, gone
}
