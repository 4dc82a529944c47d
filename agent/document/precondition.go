package document

import (
	"errors"
	"fmt"
	"strings"
)

// Precondition is one operator with its arguments. Only StringEquals with two arguments means anything; the rest is kept so that
// the step can say what it did not understand (docs/protocol/runcommand.md, "Preconditions").
type Precondition struct {
	Operator  string     `json:"operator"`
	Arguments []Argument `json:"arguments"`
}

// Argument is one argument as written and with the parameters put in. Only the written form is ever shown: values may
// be secret.
type Argument struct {
	Written   string `json:"written"`
	Resolved  string `json:"resolved"`
	Parameter bool   `json:"parameter,omitempty"` // holds a document parameter
}

func newPrecondition(operator string, arguments []string) Precondition {
	p := Precondition{Operator: operator}
	for _, a := range arguments {
		p.Arguments = append(p.Arguments, Argument{Written: a, Resolved: a})
	}
	return p
}

var errCompound = errors.New("a list or map parameter cannot be an argument of a precondition")

func (p *Precondition) fill(sub substitution) error {
	for i := range p.Arguments {
		a := &p.Arguments[i]
		switch whole := sub.text(a.Written).(type) {
		case []any, map[string]any:
			return fmt.Errorf("%w: %s", errCompound, a.Written)
		case string:
			a.Resolved = whole
		default:
			a.Resolved = asText(whole)
		}
		_, a.Parameter = sub.embed(a.Written)
	}
	return nil
}

// Checked is what all preconditions of a step say together. Unsatisfied decides before Unrecognised does, but lists both.
type Checked struct {
	Unsatisfied  []string
	Unrecognised []string
}

// Holds tells whether the step may run.
func (v Checked) Holds() bool { return len(v.Unsatisfied) == 0 && len(v.Unrecognised) == 0 }

// List is what messages show: everything that did not hold, in the order unsatisfied, unrecognised.
func (v Checked) List() string {
	return strings.Join(append(append([]string(nil), v.Unsatisfied...), v.Unrecognised...), ", ")
}

// Check evaluates the preconditions on a platform: "linux", "windows" or "macos".
func (s Step) Check(platform string) Checked {
	var v Checked
	for _, p := range s.Preconditions {
		if text := p.unrecognised(); text != "" {
			v.Unrecognised = append(v.Unrecognised, text)
		} else if !p.holds(platform) {
			v.Unsatisfied = append(v.Unsatisfied, fmt.Sprintf("\"%s\": [%s, %s]", p.Operator, p.Arguments[0].Written,
				p.Arguments[1].Written))
		}
	}
	return v
}

const (
	equals   = "StringEquals"
	platform = "platformType"
)

// unrecognised says why the operator cannot be judged, or nothing. The order of the cases is part of the contract.
func (p Precondition) unrecognised() string {
	say := func(text string) string { return `"` + equals + `": ` + text }
	if p.Operator != equals {
		return fmt.Sprintf("unrecognized operator: %q", p.Operator)
	}
	if len(p.Arguments) != 2 {
		return say("operator accepts exactly 2 arguments")
	}
	a, b := p.Arguments[0], p.Arguments[1]
	switch {
	case a.Written == platform && b.Written == platform:
		return say("[platformType platformType]")
	case a.Written == b.Written:
		return say("operator's arguments can't be identical")
	case refersTo(a.Written, "ssm:") || refersTo(b.Written, "ssm:"):
		return say("operator's arguments can't contain SSM parameters")
	case refersTo(a.Written, "ssm-secure:") || refersTo(b.Written, "ssm-secure:"):
		return say("operator's arguments can't contain secure SSM parameters")
	case a.Written == platform && b.Parameter, b.Written == platform && a.Parameter:
		return say("the second argument for the platformType variable can't contain document parameters")
	case a.Written == platform, b.Written == platform:
		return ""
	case !a.Parameter && !b.Parameter:
		return say("at least one of operator's arguments must contain a valid document parameter")
	}
	return ""
}

func (p Precondition) holds(here string) bool {
	a, b := p.Arguments[0], p.Arguments[1]
	switch {
	case a.Written == platform:
		return strings.ToLower(b.Written) == here
	case b.Written == platform:
		return strings.ToLower(a.Written) == here
	}
	return a.Resolved == b.Resolved
}
