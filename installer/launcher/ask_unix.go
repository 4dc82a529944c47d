//go:build unix

package launcher

import "github.com/ssm-setup/ssm-setup/installer/pointer"

// askAgent asks an agent to leave.
func askAgent(_ pointer.Paths, pid int) error { return terminate(pid) }

// askLauncher asks a launcher to end.
func askLauncher(_ pointer.Paths, pid int) error { return terminate(pid) }
