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

// exitCode is -1 after a signal. A shell between reports 128 and the signal's number instead.
func exitCode(s *os.ProcessState) int { return s.ExitCode() }
