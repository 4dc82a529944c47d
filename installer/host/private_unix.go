//go:build unix

package host

import "os"

// Private gives a folder to its owner alone.
func Private(path string) error { return os.Chmod(path, 0o700) } //nolint:gosec // a folder
