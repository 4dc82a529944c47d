//go:build unix

package main

import "syscall"

// ownGroup has an updater lead a process group of its own, as the original's plugin starts it
// (docs/protocol/update.md, "Updater command line").
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
