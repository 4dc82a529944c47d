package main

import (
	"errors"
	"fmt"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// exitOK is the exit code of what was done, or needed nothing; all others are those of the kinds of manifests/fault.
const exitOK = 0

// problem is an error for people: "error: cannot <verb> <object>: cause", then a hint and the exit code.
type problem struct {
	verb, object string
	cause        error
	hint         string     // empty: the cause's own, or its kind's
	kind         fault.Kind // empty: the cause's
	name         string     // stable word for --json, for example ErrorAttempToDowngrade
}

func (p *problem) Error() string {
	if p.cause == nil {
		return fmt.Sprintf("cannot %s %s", p.verb, p.object)
	}
	return fmt.Sprintf("cannot %s %s: %v", p.verb, p.object, p.cause)
}

func (p *problem) Unwrap() error { return p.cause }

// cannot makes a problem whose kind and hint are those of its cause.
func cannot(verb, object string, cause error) *problem {
	return &problem{verb: verb, object: object, cause: cause}
}

func (p *problem) withHint(hint string) *problem     { p.hint = hint; return p }
func (p *problem) withKind(kind fault.Kind) *problem { p.kind = kind; return p }

// usage is a problem of the command line itself.
func usage(format string, args ...any) *problem {
	return cannot("understand", "the command line", fmt.Errorf(format, args...)).withKind(fault.Usage).withHint(fault.Usage.Hint())
}

// explain makes a problem of any error, and fills in kind and hint where it names none.
func explain(err error) *problem {
	var p *problem
	if !errors.As(err, &p) {
		p = cannot("do", "that", err)
	}
	if p.kind == "" {
		p.kind = fault.Of(err)
	}
	if p.hint == "" {
		p.hint = fault.HintOf(err)
	}
	return p
}
