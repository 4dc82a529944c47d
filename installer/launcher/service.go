package launcher

import (
	"io"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// Service is one run of the launcher as the service.
type Service struct {
	Paths    pointer.Paths
	Stamp    string // version of the floor: the launcher's own
	Timing   Timing
	Log      io.Writer
	Detached bool // started by [Detach], [Revive] or [Replace]: it lives only as long as its pid file, and never waits behind another
	Instead  int  // id of the launcher that this one is to take over from, which it asks to end; 0: none
	System   System
}

// System is what the launcher asks of the system: the time and processes. The zero value is the real one; tests of an update play
// another, on a clock of their own.
type System struct {
	Now   func() time.Time
	Wait  func(d time.Duration, stop <-chan os.Signal) (stopped bool) // until d is over, a child ended or stop says so
	Start func(file string, argv, env []string, agent bool) (pid int, line Line, err error)
	Next  func() (pid int, how string, ended bool) // collects a child that ended
	Kill  func(pid int) error
}

// Line is the launcher's end of the two pipes to an agent, see child.go.
type Line interface {
	Heard() bool // a beat came since the last call
	AskToLeave()
	Close()
}
