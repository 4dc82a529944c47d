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
