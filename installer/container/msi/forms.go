package msi

import "regexp"

const (
	identifierForm = `[A-Za-z_][A-Za-z0-9_.]*`
	shortForm      = `[^\\?|><:/*"+,;=\[\] .]{1,8}(\.[^\\?|><:/*"+,;=\[\] .]{1,3})?`
	longForm       = `[^\\?|><:/*"]{1,255}`
	nameForm       = `(` + shortForm + `|` + shortForm + `\|` + longForm + `)`
)

// forms are what texts of a category look like; those that are not named are free. A name that is short by DOS's rules needs
// no second one.
var forms = map[string]*regexp.Regexp{
	"UpperCase":    regexp.MustCompile(`^[^a-z]+$`),
	"Identifier":   regexp.MustCompile(`^` + identifierForm + `$`),
	"Property":     regexp.MustCompile(`^` + identifierForm + `$`),
	"CustomSource": regexp.MustCompile(`^` + identifierForm + `$`),
	"Guid":         regexp.MustCompile(`^\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}$`),
	"Version":      regexp.MustCompile(`^[0-9]{1,5}(\.[0-9]{1,5}){0,3}$`),
	"Language":     regexp.MustCompile(`^[0-9]+(,[0-9]+)*$`),
	"Filename":     regexp.MustCompile(`^` + nameForm + `$`),
	"DefaultDir":   regexp.MustCompile(`^(SourceDir|\.|` + nameForm + `)$`),
	"RegPath":      regexp.MustCompile(`^[^\\].*[^\\]$`),
	"Cabinet":      regexp.MustCompile(`^(#` + identifierForm + `|` + shortForm + `)$`),
	"Condition":    regexp.MustCompile(`^[^\x00-\x1f]+$`),
	"Formatted":    regexp.MustCompile(`^([^\[\]{}]|\[[^\[\]]*\]|\{[^{}]*\})*$`),
}
