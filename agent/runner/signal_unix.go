//go:build unix

package runner

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// pollCancel is how often the cancel file is looked for besides signals.
const pollCancel = time.Second

// hear gives the signals that mean: look at the cancel file.
func hear() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	return c, func() { signal.Stop(c) }
}

// nudge sends that signal to a worker that holds its lock.
func nudge(pid int) error { return syscall.Kill(pid, syscall.SIGUSR1) }

// survivePipes has this process outlive the end of the agent that reads what it prints. The signal is caught, not ignored: scripts would
// inherit that.
func survivePipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// ownInput is this process's input, read without a thread of its own.
func ownInput() *os.File {
	_ = syscall.SetNonblock(0, true)
	return os.NewFile(0, os.Stdin.Name())
}
