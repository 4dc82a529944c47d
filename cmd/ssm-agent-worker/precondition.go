package main

import "github.com/ssm-setup/ssm-setup/installer/systems"

// precondition is why this system cannot take a new version, in the original's words (docs/protocol/update.md, "Target resolution
// and validation"); empty: it can. Only what the original looks at counts here: an agent that runs on an old system is not left
// behind for its age.
func precondition(f systems.Facts) string {
	if f.ID == "bottlerocket" {
		return "Failed Bottlerocket precondition: Bottlerocket has an immutable root filesystem"
	}
	if systems.Check(systems.Facts{OS: f.OS, Kernel: f.Kernel}) != nil {
		return "Failed kernel version precondition: Minimum kernel version is " + systems.Kernel + " but instance kernel version is " + f.Kernel
	}
	return ""
}
