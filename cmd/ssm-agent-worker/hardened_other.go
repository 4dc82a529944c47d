//go:build !windows

package main

// hardened is a matter of Windows; elsewhere the package's own folders are safe from the start.
func hardened() bool { return true }
