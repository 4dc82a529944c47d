// Package setupexe is AmazonSSMAgentSetup.exe: one program that carries a Windows Installer package behind itself and hands
// it to msiexec, with the switches and properties that the original's installer takes (docs/protocol/update.md, "Windows packages").
//
//	AmazonSSMAgentSetup.exe [/quiet] [/norestart] [/repair | /uninstall] [/log FILE] [NAME=VALUE …]
//
// A file of it is
//
//	the program, as go build made it
//	zero bytes up to a multiple of 8
//	the package
//	zero bytes up to a multiple of 8
//	a trailer: offset and length of the package (8 bytes each), its SHA-256, 16 bytes that say what this is
//
// A signature is put behind the trailer, at the place that the program's header names; so the trailer is looked for at that
// place, or at the file's end without a signature. Nothing is searched, and what is not whole is not run.
//
// For msiexec the package is unpacked into a folder that is made with access for administrators and the system alone, below the
// system's folder for temporary files: in a person's own, every program of that person could exchange it while it is installed.
//
// The exit code is msiexec's, whatever else happens afterwards: a folder that a scanner holds is removed later, by Windows at its
// next start. 0 done, 3010 done but the machine must be restarted, 1602 cancelled, 1603 failed (a newer version,
// for one), 1605 not installed (at removal), 1618 another installation is under way. 87 (ERROR_INVALID_PARAMETER) is a wrong
// switch, 1 a file that is not whole, or msiexec did not begin.
//
// Windows Installer's verbose log shows what is written into the registry, an activation code among it on its way to the agent:
// with a code on the command line, /log asks for all but that.
package setupexe

import "errors"

// Errors of a file that carries a package.
var (
	ErrNothing = errors.New("this program carries no package")
	ErrDamaged = errors.New("the package that this program carries is damaged; download it again")
)

const (
	mark        = "ssm-setup carrie"
	trailerSize = 8 + 8 + 32 + 16
	align       = 8
)
