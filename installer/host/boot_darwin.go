package host

import "golang.org/x/sys/unix"

// BootID is a text that changes with every boot of this system.
func BootID() (string, error) { return unix.Sysctl("kern.bootsessionuuid") }
