//go:build !linux

package host

// Trusted reports whether a process may count as one of an installation. On this system a program's path cannot be made up by any user.
func Trusted(int) bool { return true }
