// Package proxy keeps the address of the proxy that a host's agent reaches its region by, where the service finds it: a proxy that only
// the shell of the one who installs has is unknown to the service.
//
// Files of this room, written by `ssm-setup install --proxy`:
//
//	/etc/systemd/system/amazon-ssm-agent.service.d/proxy-of-ssm-setup.conf   under systemd: the address, or with a password the next file
//	<settings>/proxy.env, 0600          an address with a password; without a service manager, under a root and on macOS any address
//	HKLM\SOFTWARE\ssm-setup\Proxy       Windows; the system and administrators alone may read it
//
// The agent, its updater and a registration call [Adopt] at their start, which completes their environment from the file or the key;
// systemd has done so already where it runs. What must always be true: an address has no control character and no part but scheme,
// name, password, host and port; a password lies only where root (or the owner of a root) alone reads, and appears in no text for people.
package proxy

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Address is a proxy's, as http(s)://[user:password@]host:port.
type Address struct{ url *url.URL }

// Errors of an address.
var errAddress = fault.New(fault.Usage, "a proxy's address is http://host:port or https://user:password@host:port", "")

// Parse reads an address. The error does not repeat it: it may hold a password.
func Parse(text string) (Address, error) {
	for _, r := range text {
		if r <= ' ' || r == 0x7f {
			return Address{}, fmt.Errorf("%w: without blanks and control characters", errAddress)
		}
	}
	u, err := url.Parse(text)
	if err != nil {
		return Address{}, errAddress
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return Address{}, errAddress
	case u.Port() == "":
		return Address{}, fmt.Errorf("%w: the port is missing", errAddress)
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "", strings.ContainsAny(u.Host, "\"'\\$`%"):
		return Address{}, errAddress
	}
	u.Path = ""
	return Address{u}, nil
}

// String is the whole address, password included, with what shells and systemd's files would read otherwise written as %xx.
func (a Address) String() string {
	return strings.NewReplacer("'", "%27", "$", "%24", "`", "%60", `"`, "%22", `\`, "%5C").Replace(a.url.String())
}

// Redacted is the address for people.
func (a Address) Redacted() string { return a.url.Redacted() }

// secret tells whether there is a password.
func (a Address) secret() bool {
	_, has := a.url.User.Password()
	return has
}

// local are the addresses that no proxy is asked for: those of a cloud's own machine.
const local = "localhost,127.0.0.1,169.254.169.254,169.254.170.2"

// variables are what a program needs to use the proxy. The caller's own exceptions are kept.
func (a Address) variables() map[string]string {
	exceptions := local
	for _, name := range []string{"no_proxy", "NO_PROXY"} {
		if own := os.Getenv(name); own != "" && !strings.ContainsAny(own, "\"'\\$`%\r\n\t\x00") {
			exceptions = own
		}
	}
	return map[string]string{"http_proxy": a.String(), "https_proxy": a.String(), "no_proxy": exceptions}
}

// names are those variables, in the order in which they are written.
func names() []string { return []string{"http_proxy", "https_proxy", "no_proxy"} }

// Use has this process, and the programs it starts, use the proxy from now on.
func (a Address) Use() {
	for name, value := range a.variables() {
		_ = os.Setenv(name, value) // fails for names with = or NUL only
		_ = os.Unsetenv(strings.ToUpper(name))
	}
}

// OfEnvironment is the proxy that this process has from its environment; false where there is none.
func OfEnvironment() (Address, bool) {
	for _, name := range []string{"https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"} {
		text := os.Getenv(name)
		if text != "" && !strings.Contains(text, "://") {
			text = "http://" + text
		}
		if a, err := Parse(text); err == nil {
			return a, true
		}
	}
	return Address{}, false
}

// File is where an address lies that systemd's own files do not have.
func File(l installer.Layout) string { return filepath.Join(l.ConfigDir(), "proxy.env") }

// Of is the address that is kept for an installation's service; false where there is none, or none that can be read.
func Of(l installer.Layout) (Address, bool) {
	if a, err := Parse(kept(l)["https_proxy"]); err == nil {
		return a, true
	}
	return Address{}, false
}

// Adopt completes the environment of an agent with what is kept, unless it has a proxy already.
func Adopt(l installer.Layout) {
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if host.IsProxyVariable(name) && value != "" && !strings.EqualFold(name, "no_proxy") {
			return
		}
	}
	for name, value := range kept(l) {
		_ = os.Setenv(name, value)
	}
}

// Keep writes the address down for an installation's service. systemd says that it runs the service. It is used by the next start.
func Keep(l installer.Layout, a Address, systemd bool) error { return keep(l, a, systemd) }

// Remember returns a function that brings back what is kept now, or that nothing is.
func Remember(l installer.Layout) (restore func() error) { return remember(l) }

// Forget removes what Keep wrote.
func Forget(l installer.Layout) error { return forget(l) }

// environmentText is a file of variables as systemd reads it.
func environmentText(variables map[string]string) []byte {
	var b strings.Builder
	for _, name := range names() {
		fmt.Fprintf(&b, "%s=%s\n", name, variables[name])
	}
	return []byte(b.String())
}

// parseEnvironment reads such a file; names that are not ours are left out.
func parseEnvironment(text []byte) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && host.IsProxyVariable(name) {
			out[name] = value
		}
	}
	return out
}
