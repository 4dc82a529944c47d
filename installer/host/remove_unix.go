//go:build unix

package host

import "os"

// RemoveFile removes a file.
func RemoveFile(path string) error { return os.Remove(path) }
