//go:build unix

package host

import "os"

// MakeForPrograms makes a folder for programs, with those above it: its maker alone writes.
func MakeForPrograms(dir string) error { return os.MkdirAll(dir, 0o755) }
