package protocol

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Check gathers what is wrong with a request and says it as the services do, all at once, in one ValidationException.
type Check struct{ faults []string }

// Fail complains about a member.
func (k *Check) Fail(member, value, constraint string) {
	k.faults = append(k.faults, fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, member, constraint))
}

// Required complains about an empty member.
func (k *Check) Required(member, value string) {
	if value == "" {
		k.Fail(member, "null", "Member must not be null")
	}
}

// Length wants min..max characters of a member that is there.
func (k *Check) Length(member, value string, min, max int) {
	if value == "" {
		return
	}
	n := utf8.RuneCountInString(value)
	if n < min {
		k.Fail(member, "'"+value+"'", fmt.Sprintf("Member must have length greater than or equal to %d", min))
	}
	if n > max {
		k.Fail(member, "'"+value+"'", fmt.Sprintf("Member must have length less than or equal to %d", max))
	}
}

// Number wants min..max of a member that is there.
func (k *Check) Number(member string, value *int, min, max int) {
	if value == nil {
		return
	}
	if *value < min {
		k.Fail(member, fmt.Sprintf("'%d'", *value), fmt.Sprintf("Member must have value greater than or equal to %d", min))
	}
	if *value > max {
		k.Fail(member, fmt.Sprintf("'%d'", *value), fmt.Sprintf("Member must have value less than or equal to %d", max))
	}
}

// OneOf wants one of the words of a member that is there.
func (k *Check) OneOf(member, value string, words ...string) {
	if value == "" {
		return
	}
	for _, w := range words {
		if value == w {
			return
		}
	}
	k.Fail(member, "'"+value+"'", "Member must satisfy enum value set: ["+strings.Join(words, ", ")+"]")
}

// Form wants the whole of a member that is there to satisfy is.
func (k *Check) Form(member, value, pattern string, is func(string) bool) {
	if value != "" && !is(value) {
		k.Fail(member, "'"+value+"'", "Member must satisfy regular expression pattern: "+pattern)
	}
}

// Err is the ValidationException, nil where nothing is wrong.
func (k *Check) Err() error {
	switch n := len(k.faults); n {
	case 0:
		return nil
	case 1:
		return Refuse("ValidationException", "1 validation error detected: %s", k.faults[0])
	default:
		return Refuse("ValidationException", "%d validation errors detected: %s", n, strings.Join(k.faults, "; "))
	}
}

// Only tells whether every byte of s is a letter, a digit or one of the others.
func Only(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(others, c) >= 0 {
			continue
		}
		return false
	}
	return true
}

// IsUUID tells whether s is a UUID in lower-case hex with hyphens.
func IsUUID(s string) bool {
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

// Most wants at most max items in a list.
func (k *Check) Most(member string, n, max int) {
	if n > max {
		k.Fail(member, fmt.Sprintf("'[%d items]'", n), fmt.Sprintf("Member must have length less than or equal to %d", max))
	}
}

// Tags checks keys and values as every tagging operation does.
func (k *Check) Tags(member string, tags []wire.Tag) {
	for _, t := range tags {
		k.Required(member+".member.key", t.Key)
		k.Length(member+".member.key", t.Key, 1, 128)
		k.Length(member+".member.value", t.Value, 0, 256)
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			k.Fail(member+".member.key", "'"+t.Key+"'", "Member must not begin with aws:")
		}
	}
}
