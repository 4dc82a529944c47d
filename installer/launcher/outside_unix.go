//go:build unix

package launcher

import (
	"strconv"
	"strings"
	"syscall"
)

// fromOutside knows the signals that a program does not bring upon itself. A crash of a Go program is an exit code.
func fromOutside(how string) bool {
	text, ok := strings.CutPrefix(how, "signal ")
	n, err := strconv.Atoi(text)
	if !ok || err != nil {
		return false
	}
	switch syscall.Signal(n) {
	case syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT:
		return true
	}
	return false
}
