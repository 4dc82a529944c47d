//go:build unix

package setup

import "os"

// Privileged tells whether this user may change the system.
func Privileged() bool { return os.Geteuid() == 0 }
