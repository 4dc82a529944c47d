//go:build unix

package launcher

import (
	"os"
	"os/signal"
	"syscall"
)

// Run is the service: it returns after SIGTERM or SIGINT.
func (s Service) Run() error {
	l := newLoop(s)
	l.catch()
	l.run()
	return nil
}

// catch listens to signals. Those for broken pipes and lost terminals are caught and dropped: ignoring them would be inherited.
func (l *loop) catch() {
	if l.played {
		return
	}
	signal.Notify(l.stop, syscall.SIGTERM, syscall.SIGINT)
	signal.Notify(l.ended, syscall.SIGCHLD)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE, syscall.SIGHUP)
}
