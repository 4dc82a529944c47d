//go:build unix

package proxy

import (
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
)

// systemd's file can be read by all: a password is not in it. In it % begins a specifier, and is doubled.
func TestSystemdsFileHasNoPasswordAndDoublesPercents(t *testing.T) {
	clean(t)
	open, err := Parse("http://me%40corp@proxy:3128")
	must(t, err)
	text := string(dropIn(installer.At(""), open))
	if !strings.Contains(text, `Environment="https_proxy=http://me%%40corp@proxy:3128"`+"\n") {
		t.Errorf("%s", text)
	}
	if back := parseDropIn(text)["https_proxy"]; back != open.String() {
		t.Errorf("read again: %s", back)
	}
	secret, err := Parse("http://me:secret@proxy:3128")
	must(t, err)
	if text := string(dropIn(installer.At(""), secret)); strings.Contains(text, "secret@") ||
		!strings.Contains(text, "EnvironmentFile=-/etc/amazon/ssm/proxy.env\n") &&
			!strings.Contains(text, "EnvironmentFile=-/opt/aws/ssm/proxy.env\n") {
		t.Errorf("%s", text)
	}
}
