package playground

import (
	"net"
	"strings"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
)

// warnOfListen says what it means that other machines reach the region, and under which address they do.
func warnOfListen(out *terminal.Printer, listen, url string) {
	host, port, err := net.SplitHostPort(listen)
	ip := net.ParseIP(host)
	if err != nil || host == "localhost" || ip != nil && ip.IsLoopback() {
		return
	}
	out.Warn("every machine that reaches %s can register hosts with an activation and read the packages; requests are signed, but plain http "+
		"shows what is in them: use the https address", listen)
	if host != "" && (ip == nil || !ip.IsUnspecified()) {
		return
	}
	if own := ownAddress(); own != "" {
		if _, bound, err := net.SplitHostPort(strings.TrimPrefix(url, "http://")); err == nil {
			port = bound
		}
		out.Step("other machines reach it at https://%s, with the CA below", net.JoinHostPort(own, port))
	}
}

// ownAddress is an address of this machine that others may reach; empty: there is none.
func ownAddress() string {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	best := ""
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && (best == "" || n.IP.To4() != nil && net.ParseIP(best).To4() == nil) {
			best = n.IP.String()
		}
	}
	return best
}
