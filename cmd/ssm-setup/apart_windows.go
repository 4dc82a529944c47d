package main

import (
	"os/exec"
	"syscall"
)

// apart puts a program into a group of its own, where no signal from the keyboard reaches it.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
