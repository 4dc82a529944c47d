//go:build !linux

package service

// managed is true: there is no such system without its service manager.
func managed() bool { return true }
