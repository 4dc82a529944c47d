//go:build !linux

package host

import "os"

// IsJournal reports whether what is written to f goes to the system's journal; this system has none.
func IsJournal(*os.File) bool { return false }
