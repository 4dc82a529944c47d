// Package boot installs the built packages in real systems: systemd machines in containers, with dpkg and with rpm, and a
// Windows that wine plays.
//
// Machines are overlays over one root a kind, write to memory, and run side by side; releases are built and signed once. What is
// shown: whole lives under dpkg, rpm, dnf and zypper, the agent at work in front of each script of an upgrade; repositories of a
// region with signatures required; the life of Amazon's own agent as a script for each package manager (testdata/originals); the exit
// codes of update archives; publications killed at every object they write; power cuts in updates and exchanges, on ext4 and xfs.
//
// A power cut is: everything that runs is killed, the file system is told to write nothing more, its log neither (the shutdown call of
// ext4 and xfs), and the machine boots from a copy of the device as it is then. So what was not synced is gone, and what a sync was
// writing may be there in part. A disk that loses what it said it has written is not played.
//
// The tests carry the build tag boot. They need root, mmdebstrap, systemd-nspawn, wine and Debian's package archive; CI installs
// the programs by name and runs all of them. What they do not cover, they do not claim: kernels other than the host's, SELinux,
// the real Amazon Linux, RHEL or SLES, a real Windows.
package boot
