package main

import (
	"errors"
	"fmt"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Exit codes of ssm-setup; the README shows this table.
const (
	exitOK           = 0  // done, or nothing to do
	exitFailed       = 1  // did not work, for a reason none of the others names
	exitUsage        = 2  // bad flag, argument or input
	exitRegion       = 3  // a region could not be reached or read
	exitVerify       = 4  // a checksum, size, version or signature is not what it must be
	exitRefused      = 5  // refused by a rule: downgrade, unsupported platform, another agent runs here
	exitBusy         = 6  // another installation or update is under way
	exitPermission   = 7  // not allowed to read or write here
	exitRegistration = 8  // the service refused the activation
	exitRolledBack   = 9  // the new version failed and the old one is back
	exitNoSpace      = 10 // no room on the disk
	exitUnhealthy    = 11 // installed, but the agent did not become healthy in time
)

// problem is an error for people: "error: cannot <verb> <object>: cause", then a hint and the exit code.
type problem struct {
	verb, object string
	cause        error
	hint         string
	code         int
	name         string // stable word for --json, for example ErrorAttempToDowngrade; empty: from the code
}

func (p *problem) Error() string {
	if p.cause == nil {
		return fmt.Sprintf("cannot %s %s", p.verb, p.object)
	}
	return fmt.Sprintf("cannot %s %s: %v", p.verb, p.object, p.cause)
}

func (p *problem) Unwrap() error { return p.cause }

// cannot makes a problem; explain finds code and hint where they are left out.
func cannot(verb, object string, cause error) *problem {
	return &problem{verb: verb, object: object, cause: cause}
}

func (p *problem) withHint(hint string) *problem { p.hint = hint; return p }
func (p *problem) withCode(code int) *problem    { p.code = code; return p }

// usage is a problem of the command line itself.
func usage(format string, args ...any) *problem {
	return &problem{verb: "understand", object: "the command line", cause: fmt.Errorf(format, args...), code: exitUsage,
		hint: "run the command with --help"}
}

// stampVariable is what the linker sets to a program's version.
const stampVariable = "github.com/ssm-setup/ssm-setup/installer/stamp.mark"

// explain fills in code and hint where the problem names none: those of the error's kind.
func explain(err error) *problem {
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{verb: "do", object: "that", cause: err}
	}
	if p.code == 0 {
		p.code = fault.Of(err).ExitCode()
	}
	if p.hint == "" {
		p.hint = fault.HintOf(err)
	}
	return p
}
