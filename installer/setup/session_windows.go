package setup

import (
	"os/exec"
	"syscall"
)

// newSession puts a program into a group of its own, where no signal from the keyboard reaches it.
func newSession(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
