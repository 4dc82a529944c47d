package service

import (
	"context"
	"strings"
)

// boot asks systemd; upstart starts every service that it knows.
func boot(ctx context.Context) string {
	if !found("systemctl") {
		return ""
	}
	out, _ := systemctl(ctx, "is-enabled", Name()).Output() // its exit code says the same as the word
	return bootOf(strings.TrimSpace(string(out)))
}

// bootOf reads the word of systemctl is-enabled. A service that is enabled until the next boot only, or that something else has to
// ask for, does not come back by itself.
func bootOf(word string) string {
	switch word {
	case "enabled", "alias", "generated", "indirect":
		return Enabled
	case "masked", "masked-runtime":
		return Masked
	case "disabled", "static", "linked", "linked-runtime", "enabled-runtime":
		return Disabled
	}
	return ""
}
