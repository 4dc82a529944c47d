//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// endBy ends this process by a signal that it caught and whose work is done, as if it had not been caught: its parent tells an end from
// outside from one of the program's own doing.
func endBy(s os.Signal) int {
	signal.Reset(s)
	if n, ok := s.(syscall.Signal); ok && syscall.Kill(os.Getpid(), n) == nil {
		time.Sleep(time.Second) // it comes
	}
	return 0
}
