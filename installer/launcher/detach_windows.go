package launcher

import (
	"errors"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// Detach would start the launcher without a service manager.
func Detach(pointer.Paths) (pid int, err error) { return 0, errors.ErrUnsupported }
