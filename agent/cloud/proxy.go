package cloud

import (
	"net/url"
	"os"
	"strings"
)

// settings are a system's own proxy settings, outside the environment: lists as Windows writes them.
type settings struct{ servers, bypass string }

// adoptProxy completes the environment of this process, which its children inherit, with the system's own settings.
func adoptProxy() {
	if (set("http_proxy") || set("https_proxy")) && set("no_proxy") {
		return
	}
	for name, value := range systemProxy().variables(set) {
		_ = os.Setenv(name, value) // fails for names with = or NUL only
	}
}

// set tells whether a proxy variable is there, in either spelling.
func set(name string) bool { return os.Getenv(name) != "" || os.Getenv(strings.ToUpper(name)) != "" }

// variables are what the settings add to an environment (docs/protocol/identity.md, "Proxy set-up per OS"): servers only where no
// proxy is named yet, the bypass only where there is none. A server without a scheme is http's alone, as in the original.
func (s settings) variables(set func(name string) bool) map[string]string {
	out := map[string]string{}
	if !set("http_proxy") && !set("https_proxy") {
		for _, entry := range list(s.servers) {
			scheme, server, named := strings.Cut(entry, "=")
			if !named {
				scheme, server = "http", entry
			}
			if scheme = strings.ToLower(scheme); server != "" && (scheme == "http" || scheme == "https") {
				out[scheme+"_proxy"] = server
			}
		}
	}
	var bypass []string
	for _, entry := range list(s.bypass) {
		if entry != "<local>" && entry != "<-loopback>" {
			bypass = append(bypass, entry)
		}
	}
	if len(bypass) > 0 && !set("no_proxy") {
		out["no_proxy"] = strings.Join(bypass, ",")
	}
	return out
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == ' ' || r == '\t' || r == '\r' || r == '\n' })
}

// ProxyLines tells the proxy variables of this process, for its log; unlike the original's, without passwords.
func ProxyLines() []string {
	lines := []string{"Proxy environment variables:"}
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy"} {
		lines = append(lines, name+": "+withoutPassword(os.Getenv(name)))
	}
	return lines
}

// withoutPassword hides one even where the text is no whole address.
func withoutPassword(proxy string) string {
	at := strings.LastIndexByte(proxy, '@')
	if at < 0 {
		return proxy
	}
	if u, err := url.Parse(proxy); err == nil && u.User != nil {
		return u.Redacted()
	}
	return "xxxxx" + proxy[at:]
}
