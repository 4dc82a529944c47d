package launcher

import (
	"io"

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
}
