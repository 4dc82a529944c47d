//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// apart puts a program into a session of its own, where no signal from the keyboard reaches it.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
