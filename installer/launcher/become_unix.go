//go:build unix

package launcher

import (
	"os"
	"syscall"
)

// execute replaces this process; it returns only when that failed.
func execute(file string, args []string) (int, error) {
	return 0, syscall.Exec(file, args, os.Environ())
}
