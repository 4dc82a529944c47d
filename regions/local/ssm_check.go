package local

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// check gathers what is wrong with a request and says it as the services do, all at once, in one ValidationException.
type check struct{ faults []string }

func (k *check) fail(member, value, constraint string) {
	k.faults = append(k.faults, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, member, constraint))
}

// required complains about an empty member.
func (k *check) required(member, value string) {
	if value == "" {
		k.fail(member, "null", "Member must not be null")
	}
}

// length wants min..max characters of a member that is there.
func (k *check) length(member, value string, min, max int) {
	if value == "" {
		return
	}
	n := utf8.RuneCountInString(value)
	if n < min {
		k.fail(member, "'"+value+"'", fmt.Sprintf("Member must have length greater than or equal to %d", min))
	}
	if n > max {
		k.fail(member, "'"+value+"'", fmt.Sprintf("Member must have length less than or equal to %d", max))
	}
}

// number wants min..max of a member that is there.
func (k *check) number(member string, value *int, min, max int) {
	if value == nil {
		return
	}
	if *value < min {
		k.fail(member, fmt.Sprintf("'%d'", *value), fmt.Sprintf("Member must have value greater than or equal to %d", min))
	}
	if *value > max {
		k.fail(member, fmt.Sprintf("'%d'", *value), fmt.Sprintf("Member must have value less than or equal to %d", max))
	}
}

// oneOf wants one of the words of a member that is there.
func (k *check) oneOf(member, value string, words ...string) {
	if value == "" {
		return
	}
	for _, w := range words {
		if value == w {
			return
		}
	}
	k.fail(member, "'"+value+"'", "Member must satisfy enum value set: ["+strings.Join(words, ", ")+"]")
}

// form wants the whole of a member that is there to satisfy is.
func (k *check) form(member, value, pattern string, is func(string) bool) {
	if value != "" && !is(value) {
		k.fail(member, "'"+value+"'", "Member must satisfy regular expression pattern: "+pattern)
	}
}

func (k *check) err() error {
	switch n := len(k.faults); n {
	case 0:
		return nil
	case 1:
		return refuse("ValidationException", "1 validation error detected: %s", k.faults[0])
	default:
		return refuse("ValidationException", "%d validation errors detected: %s", n, strings.Join(k.faults, "; "))
	}
}

// only tells whether every byte of s is a letter, a digit or one of the others.
func only(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(others, c) >= 0 {
			continue
		}
		return false
	}
	return true
}

// isUUID tells whether s is a UUID in lower-case hex with hyphens.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (c == '-') || !hyphen && !isHex(c) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

// isNodeID tells whether s names a node: "i-" and 8 or 17 word characters, or "mi-" and 17.
func isNodeID(s string) bool {
	if rest, ok := strings.CutPrefix(s, "mi-"); ok {
		return len(rest) == 17 && only(rest, "_")
	}
	rest, ok := strings.CutPrefix(s, "i-")
	return ok && (len(rest) == 8 || len(rest) == 17) && only(rest, "_")
}

// most wants at most max items in a list.
func (k *check) most(member string, n, max int) {
	if n > max {
		k.fail(member, fmt.Sprintf("'[%d items]'", n), fmt.Sprintf("Member must have length less than or equal to %d", max))
	}
}
