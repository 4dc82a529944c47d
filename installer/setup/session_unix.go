//go:build unix

package setup

import (
	"os/exec"
	"syscall"
)

// newSession puts a program into a session of its own, where no signal from the keyboard reaches it.
func newSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
