package console_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"testing"
)

// trust has the browser take the region's CA.
func trust(t *testing.T, d *desk) {
	t.Helper()
	pem, err := os.ReadFile(d.region.CAFile())
	must(t, err)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatal("no certificate")
	}
	d.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
}
