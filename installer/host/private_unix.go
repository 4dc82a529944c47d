//go:build unix

package host

import "os"

// Private gives a folder to its owner alone.
func Private(dir string) error { return os.Chmod(dir, 0o700) }
