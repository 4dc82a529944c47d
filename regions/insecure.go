package regions

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrInsecure says that an address is plain http to another machine: what answers there is not known, and what comes from there
// decides which programs run.
var ErrInsecure = fault.New(fault.Refused, "it is plain http to another machine",
	"use an https address; --allow-insecure accepts it, where every machine on the way is trusted")

// Insecure tells whether an address is plain http and not on this machine.
func Insecure(address string) bool {
	u, err := url.Parse(strings.TrimSpace(address))
	return err == nil && u.Scheme == "http" && !loopback(u.Hostname())
}

// CheckNew refuses with [ErrInsecure] an address that a person gives now and that is [Insecure], unless that is allowed.
func CheckNew(address string, allowInsecure bool) error {
	if allowInsecure || !Insecure(address) {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrInsecure, place(address))
}

// place is an address without credentials, path and query.
func place(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil {
		return "an address that cannot be read"
	}
	return u.Scheme + "://" + u.Host
}

// OnThisMachine tells whether an address is one of this machine's own, by the loopback interface.
func OnThisMachine(address string) bool {
	u, err := url.Parse(strings.TrimSpace(address))
	return err == nil && loopback(u.Hostname())
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
