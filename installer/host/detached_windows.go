package host

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// Detached has cmd start without this console and in a process group of its own: it lives on when this process ends.
func Detached(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.CreationFlags |= windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP
	cmd.Stdin = nil
}
