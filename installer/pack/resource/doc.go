// Package resource gives programs for Windows what Windows asks them for: a version that the system can read, and a manifest.
//
// Windows Installer compares the versions of files before it replaces one; without a version in the file it guesses by dates.
// The manifest says whether a program asks for an administrator's rights when it is started (only the installer does: the
// others must run under any account), that paths may be long, and since which Windows it runs; without one Windows may take a
// program called "setup" for an old one and guess.
//
// Resources are a section at the end of the program, added after linking and before signing (door to tc-hib/winres). The same
// program and the same words give the same bytes. A program that has a version or a signature already is left alone: it was
// made so on purpose, and a changed byte would break the signature.
package resource

import "errors"

// ErrNone says that a program has no version, or is none at all.
var ErrNone = errors.New("no version resource in the program")

// Info is what a program says about itself.
type Info struct {
	Version     [4]uint16
	Text        string // the version as people write it
	File        string // name of the file as it was made: x.exe
	Product     string
	Company     string
	Description string
	Elevated    bool // started by an administrator only
}
