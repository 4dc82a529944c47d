package logs

import (
	"regexp"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// readPattern reads a filter pattern of terms: all must be in the message; one of those with "?" where there are only such; none of
// those with "-". A term may be "quoted" or a %regular expression%. Patterns over JSON or columns are refused.
func readPattern(pattern string) (matches func(message string) bool, err error) {
	pattern = strings.TrimSpace(pattern)
	if strings.HasPrefix(pattern, "{") || strings.HasPrefix(pattern, "[") {
		return nil, protocol.Refuse("InvalidParameterException", "This region reads no filter patterns over JSON or columns.")
	}
	var all, any, none []func(string) bool
	for pattern != "" {
		list := &all
		switch pattern[0] {
		case '?':
			list, pattern = &any, pattern[1:]
		case '-':
			list, pattern = &none, pattern[1:]
		}
		var is func(string) bool
		if is, pattern, err = readTerm(pattern); err != nil {
			return nil, err
		}
		*list = append(*list, is)
		pattern = strings.TrimLeft(pattern, " \t")
	}
	return func(message string) bool {
		for _, is := range none {
			if is(message) {
				return false
			}
		}
		for _, is := range all {
			if !is(message) {
				return false
			}
		}
		for _, is := range any {
			if is(message) {
				return true
			}
		}
		return any == nil || all != nil
	}, nil
}

// readTerm reads one term from the beginning of a pattern.
func readTerm(pattern string) (is func(string) bool, rest string, err error) {
	refusal := protocol.Refuse("InvalidParameterException", "Invalid filter pattern")
	if pattern == "" || pattern[0] == ' ' {
		return nil, "", refusal
	}
	switch quote := pattern[:1]; quote {
	case `"`, "%":
		term, rest, ended := strings.Cut(pattern[1:], quote)
		if !ended {
			return nil, "", refusal
		}
		if quote == "%" {
			re, err := regexp.Compile(term)
			if err != nil {
				return nil, "", refusal
			}
			return re.MatchString, rest, nil
		}
		return func(message string) bool { return strings.Contains(message, term) }, rest, nil
	}
	term, rest, _ := strings.Cut(pattern, " ")
	return func(message string) bool { return strings.Contains(message, term) }, rest, nil
}
