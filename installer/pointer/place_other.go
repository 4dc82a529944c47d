//go:build !windows && !darwin

package pointer

const suffix = ""

// Bin is the folder of programs.
func (p Paths) Bin() string { return p.under("usr/bin") }

// Data is the folder of everything the agent keeps.
func (p Paths) Data() string { return p.under("var/lib/amazon/ssm") }

// StoreDir is the folder of versions that updates added.
func (p Paths) StoreDir() string { return p.under("var/lib/amazon/ssm/store") }

// Logs is the folder of logs.
func (p Paths) Logs() string { return p.under("var/log/amazon/ssm") }

func (p Paths) credentialsDir() string { return p.Data() }

// SamePath compares two clean paths as this system does.
func SamePath(a, b string) bool { return a == b }
