//go:build unix

package main

import "os"

// elevated tells whether this user may change the system.
func elevated() bool { return os.Geteuid() == 0 }
