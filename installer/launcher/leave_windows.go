package launcher

import (
	"context"
	"errors"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// ErrNotOurs says that the agent lock is held by a process that this one cannot or must not end.
var ErrNotOurs = errors.New("the agent lock is held by a process that is not of this installation")

// SendAway would ask the running agent to leave.
func SendAway(context.Context, pointer.Paths, time.Duration) (int, error) {
	return 0, errors.ErrUnsupported
}

// End would ask the launcher of an installation to end.
func End(pointer.Paths, int) error { return errors.ErrUnsupported }
