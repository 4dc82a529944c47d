package main

import "syscall"

// ownGroup is without an effect on Windows, where the original gives no creation flags.
func ownGroup() *syscall.SysProcAttr { return nil }
