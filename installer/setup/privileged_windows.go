package setup

import "golang.org/x/sys/windows"

// Privileged tells whether this program has an administrator's rights, not only its user.
func Privileged() bool { return windows.GetCurrentProcessToken().IsElevated() }
