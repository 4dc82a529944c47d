package launcher

import (
	"io"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// Service is one run of the launcher as the service.
type Service struct {
	Paths  pointer.Paths
	Stamp  string // version of the floor: the launcher's own
	Timing Timing
	Log    io.Writer
}
