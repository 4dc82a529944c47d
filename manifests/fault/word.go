package fault

import (
	"regexp"
	"strings"
)

var bare = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./\\-]+$`)

// Word is a text as one word of a command line that is printed for people to copy. In double quotes it is one for sh, cmd and
// PowerShell, as long as it has nothing in it that they look at there; else it is quoted for sh.
func Word(text string) string {
	switch {
	case bare.MatchString(text):
		return text
	case strings.ContainsAny(text, "\"$`\\!%\n"):
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return `"` + text + `"`
}
