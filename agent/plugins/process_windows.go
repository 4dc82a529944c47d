package plugins

import (
	"os"
	"os/exec"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

const (
	rebootCode  = 3010 // the script asks for a reboot
	stoppedCode = -1   // after a time limit or a cancel
)

// ownGroup: Windows has no groups to kill; descendants are looked for when it comes to that.
func ownGroup(*exec.Cmd) {}

// killGroup ends the process and its descendants.
func killGroup(cmd *exec.Cmd) {
	if host.KillGroup(cmd.Process.Pid) != nil {
		_ = cmd.Process.Kill()
	}
}

func exitCode(s *os.ProcessState) int { return s.ExitCode() }

// unread: see run; a pipe cannot be read here without waiting.
func unread(*os.File) []byte { return nil }
