//go:build !windows

package main

// nanoServer is Windows' alone.
func nanoServer() string { return "" }
