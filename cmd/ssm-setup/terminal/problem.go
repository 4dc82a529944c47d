package terminal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// OK is the exit code of what was done, or needed nothing; all others are those of the kinds of manifests/fault.
const OK = 0

// Problem is an error for people: "error: cannot <verb> <object>: cause", then a hint and the exit code.
type Problem struct {
	verb, object string
	Cause        error
	Hint         string     // empty: the cause's own, or its kind's
	Kind         fault.Kind // empty: the cause's
	Name         string     // stable word for --json, for example ErrorAttempToDowngrade
}

func (p *Problem) Error() string {
	if p.Cause == nil {
		return fmt.Sprintf("cannot %s %s", p.verb, p.object)
	}
	cause := strings.ReplaceAll(p.Cause.Error(), context.Canceled.Error(), "it was interrupted")
	return fmt.Sprintf("cannot %s %s: %s", p.verb, p.object, cause)
}

func (p *Problem) Unwrap() error { return p.Cause }

// Cannot makes a problem whose kind and hint are those of its cause.
func Cannot(verb, object string, cause error) *Problem {
	return &Problem{verb: verb, object: object, Cause: cause}
}

// WithHint sets the next step; lines are separate hints.
func (p *Problem) WithHint(hint string) *Problem { p.Hint = hint; return p }

// WithKind sets the kind, and so the exit code.
func (p *Problem) WithKind(kind fault.Kind) *Problem { p.Kind = kind; return p }

// Usage is a problem of the command line itself.
func Usage(format string, args ...any) *Problem {
	return Cannot("understand", "the command line", fmt.Errorf(format, args...)).WithKind(fault.Usage).WithHint(fault.Usage.Hint())
}

// explain makes a problem of any error, and fills in kind and hint where it names none.
func explain(err error) *Problem {
	var p *Problem
	if !errors.As(err, &p) {
		p = Cannot("do", "that", err)
	}
	if p.Kind == "" {
		p.Kind = fault.Of(err)
	}
	if p.Hint == "" {
		p.Hint = fault.HintOf(err)
	}
	return p
}

// Unreadable is the problem of a file that a flag names.
func Unreadable(object string, err error, hint string) *Problem {
	p := Cannot("read", object, err).WithHint(hint).WithKind(fault.Usage)
	if errors.Is(err, fs.ErrPermission) {
		p.Kind = fault.Permission
	}
	return p
}
