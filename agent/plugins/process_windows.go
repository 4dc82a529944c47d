package plugins

import (
	"os"
	"os/exec"
)

const (
	rebootCode  = 3010 // the script asks for a reboot
	stoppedCode = -1   // after a time limit or a cancel
)

// ownGroup: Windows has no groups to kill; only the process itself ends.
func ownGroup(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func exitCode(s *os.ProcessState) int { return s.ExitCode() }
