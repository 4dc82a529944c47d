package host

import (
	"strings"
)

// NotAvailable is what an unrecognised system is called (docs/protocol/update.md, "Platform names").
const NotAvailable = "NotAvailable"

// Platform is the name and version of the system, as the health ping and the choice of packages know it, for example
// "Debian GNU/Linux" and "12". Invalid UTF-8 is dropped. A system that is not recognised is [NotAvailable]; the error is of a
// lookup that failed.
func Platform() (name, version string, err error) {
	name, version, err = platform()
	if err != nil {
		return "", "", err
	}
	clean := func(s string) string { return strings.TrimSpace(strings.ToValidUTF8(s, "")) }
	if name = clean(name); name == "" {
		return NotAvailable, NotAvailable, nil
	}
	return name, clean(version), nil
}
