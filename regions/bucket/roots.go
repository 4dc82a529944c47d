package bucket

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrUntrusted says that the certificate of what answers is signed by no authority that is believed here.
var ErrUntrusted = fault.New(fault.Region, "its certificate is signed by an authority that this machine does not know",
	"where a proxy opens TLS connections, or a region has an authority of its own: set AWS_CA_BUNDLE to the file of its certificate")

// bundle reads a file of certificates; none is read for an empty name.
func bundle(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read AWS_CA_BUNDLE: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fault.Wrap(fault.Usage, fmt.Errorf("cannot read AWS_CA_BUNDLE: %s holds no certificate", file), "")
	}
	return roots, nil
}

// failing is a transport that cannot be made.
type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// untrusted tells whether a connection failed because of who signed a certificate.
func untrusted(err error) bool {
	var unknown x509.UnknownAuthorityError
	return errors.As(err, &unknown)
}
