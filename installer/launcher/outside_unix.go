//go:build unix

package launcher

import (
	"slices"
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
	return slices.Contains([]syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT}, syscall.Signal(n))
}
