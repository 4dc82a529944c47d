package main

import "golang.org/x/sys/windows"

// elevated tells whether this program has an administrator's rights, not only its user.
func elevated() bool { return windows.GetCurrentProcessToken().IsElevated() }
