//go:build unix

package host

import (
	"os/exec"
	"syscall"
)

// Detached has cmd start in a session of its own, with nothing to read: it lives on when this process ends, and [KillGroup] of
// its id reaches it with its children.
func Detached(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
	cmd.Stdin = nil
}
