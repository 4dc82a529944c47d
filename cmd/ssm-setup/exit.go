package main

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
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
		hint: "run the verb with --help"}
}

// explanations map what lower rooms return to an exit code and a next step. First match wins; a verb that knows better
// sets its own.
var explanations = []struct {
	match func(error) bool
	code  int
	hint  string
}{
	{is(syscall.ENOSPC), exitNoSpace, "free some space and run the same command again; nothing was left half done"},
	{is(fs.ErrPermission), exitPermission, "run it as root, or use --root with a folder of your own"},
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// explain fills in code and hint.
func explain(err error) *problem {
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{verb: "do", object: "that", cause: err}
	}
	for _, e := range explanations {
		if !e.match(err) {
			continue
		}
		if p.code == 0 {
			p.code = e.code
		}
		if p.hint == "" {
			p.hint = e.hint
		}
		break
	}
	if p.code == 0 {
		p.code = exitFailed
	}
	return p
}
