//go:build unix

package host

import "os"

// replace gives a file another one's name, in one step.
func replace(from, to string) error { return os.Rename(from, to) }
