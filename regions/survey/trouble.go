package survey

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
)

// Trouble is what a region could not be read for, where that is a matter of the way to it. The zero value is any other reason.
type Trouble struct {
	What string // in few words, for a row
	Hint string // next step
}

// troubleOf finds the trouble in an error of a request.
func troubleOf(err error) Trouble {
	var dns *net.DNSError
	var op *net.OpError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verify *tls.CertificateVerificationError
	switch {
	case err == nil:
		return Trouble{}
	case errors.As(err, &op) && op.Op == "proxyconnect" || strings.Contains(err.Error(), "proxyconnect"):
		return Trouble{"the proxy does not answer", "check the proxy in HTTPS_PROXY, and NO_PROXY"}
	case errors.As(err, &dns):
		return Trouble{"its name cannot be resolved (DNS)",
			"check that this machine has a network and a name server; behind a proxy set HTTPS_PROXY"}
	case errors.As(err, &authority), errors.As(err, &name), errors.As(err, &invalid), errors.As(err, &verify):
		return Trouble{"its certificate is not believed",
			"a proxy may replace certificates: name its authority's file in AWS_CA_BUNDLE; check this machine's clock, too"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return Trouble{"the connection is refused", "check address and port; a local region runs while ssm-setup local does"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), timeout(err):
		return Trouble{"there is no answer in time", "check the network and firewalls; behind a proxy set HTTPS_PROXY"}
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return Trouble{"there is no way to it (network)", "check that this machine has a network"}
	}
	return Trouble{}
}

func timeout(err error) bool {
	var u *url.Error
	return errors.As(err, &u) && u.Timeout()
}

// Trouble is the one trouble that no region could be read for; false where a region could, or they differ.
func (a Answer) Trouble() (Trouble, bool) {
	if a.Unreadable == 0 || a.Unreadable < len(a.Rows) {
		return Trouble{}, false
	}
	first := a.Rows[0].trouble
	for _, r := range a.Rows {
		if r.trouble != first {
			return Trouble{}, false
		}
	}
	return first, first != Trouble{}
}
