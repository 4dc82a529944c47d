package fault

import (
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// secrets are credentials in front of a host: user, user:password or a token.
var secrets = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/"'<>]*@`)

// Redact takes the credentials out of every address in a text: an endpoint may hold a password, which no error, log or answer shows.
func Redact(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	return secrets.ReplaceAllString(text, "${1}xxxxx@")
}

// OneLine is a text from outside (an id, a name) for one line of a log: control characters, which would begin a line of their own or
// be obeyed by a terminal, are written as escapes.
func OneLine(text string) string {
	if strings.IndexFunc(text, obeyed) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if obeyed(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Writer writes texts for people, each [Redact]ed; an address must not be divided between two of them.
func Writer(w io.Writer) io.Writer { return writer{w} }

type writer struct{ to io.Writer }

func (w writer) Write(b []byte) (int, error) {
	if _, err := io.WriteString(w.to, Redact(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// obeyed tells the characters that are not printed but obeyed: control and format characters, separators of lines.
func obeyed(r rune) bool {
	return unicode.IsControl(r) && r != '\t' || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
}
