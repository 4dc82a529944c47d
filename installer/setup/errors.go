package setup

import "github.com/ssm-setup/ssm-setup/manifests/fault"

// Why an installation, a registration or a removal was refused, or failed.
var (
	ErrNotInstalled = fault.New(fault.Refused, "there is no installation", "run ssm-setup install first")
	ErrOriginal     = fault.New(fault.Refused, "the original agent is installed on this system",
		"remove the original agent first, or use --root with a folder of your own; its registration stays usable")
	ErrNotRoot    = fault.New(fault.Permission, "this changes the system and needs root", "")
	ErrNoPackager = fault.New(fault.Refused, "no supported package manager found in list: dpkg, rpm",
		"use --root with a folder: it needs no package manager")
	ErrPackager = fault.New(fault.Other, "the package manager failed",
		"mend what the package manager reports, and run the same command again")
	ErrNoSpace     = fault.New(fault.NoSpace, "not enough room on the disk", "")
	ErrOtherRegion = fault.New(fault.Refused, "this machine is registered in another region",
		"ssm-setup register --override registers it anew; then install again")
	// ErrOtherVersion is for an installation under a root: updates change its version, not a second installation.
	ErrOtherVersion = fault.New(fault.Refused, "the installation there has version",
		"ssm-setup update --version changes what runs; the package stays")
	ErrRegistration = fault.New(fault.Registration, "the service refused the registration", "")
	ErrUnhealthy    = fault.New(fault.Unhealthy, "no healthy ping", "")
	ErrNoExec       = fault.New(fault.Unhealthy, "the agent works, but no update of it could run: that file system is mounted noexec",
		"mount a file system of its own on that folder, without noexec, or remount the one it lies on with exec")
	ErrExhausted = fault.New(fault.Other, "retries exhausted", "") // the original's words
)
