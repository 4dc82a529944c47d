//go:build !linux && !darwin

package host

// NoExec is false: this system has no such mounts.
func NoExec(string) bool { return false }
