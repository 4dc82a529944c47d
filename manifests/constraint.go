package manifests

import (
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Constraint is what `--version '>=9.1'` asks for: a semver constraint on the first three parts, or one exact version.
type Constraint struct {
	exact Version
	rule  *semver.Constraints
}

// ParseConstraint reads an exact four-part version or a constraint in the syntax of Masterminds/semver (">=9.1, <10",
// "~9.1", "9.x"). Constraints look at the first three parts only: semver knows no fourth.
func ParseConstraint(text string) (Constraint, error) {
	text = strings.TrimSpace(text)
	if strings.Count(text, ".") == 3 {
		if v, err := ParseVersion(text); err == nil {
			return Constraint{exact: v}, nil
		}
	}
	rule, err := semver.NewConstraint(text)
	if err != nil || text == "" {
		return Constraint{}, fmt.Errorf("%w: %s is neither a version nor a constraint such as '>=9.1'", ErrVersion, excerpt(text))
	}
	return Constraint{rule: rule}, nil
}

// Allows tells whether v satisfies the constraint.
func (c Constraint) Allows(v Version) bool {
	if c.rule == nil {
		return v == c.exact
	}
	return v.set && c.rule.Check(semver.New(uint64(v.a), uint64(v.b), uint64(v.c), "", ""))
}

// Newest is the highest allowed version of the list, no version if none is.
func (c Constraint) Newest(list []Version) Version {
	var best Version
	for _, v := range list {
		if c.Allows(v) && best.Less(v) {
			best = v
		}
	}
	return best
}
