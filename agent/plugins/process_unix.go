//go:build unix

package plugins

import (
	"os"
	"os/exec"
	"syscall"
)

const (
	rebootCode  = 194        // the script asks for a reboot
	stoppedCode = codeKilled // after a time limit or a cancel
)

// ownGroup makes the process the leader of a new group.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends the process and everything that stayed in its group.
func killGroup(cmd *exec.Cmd) {
	if syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) != nil {
		_ = cmd.Process.Kill()
	}
}

// exitCode: -1 after a signal, but SIGKILL counts as what a shell between would have said of it.
func exitCode(s *os.ProcessState) int {
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL {
		return codeKilled
	}
	return s.ExitCode()
}
