package cloud

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-setup/ssm-setup/regions"
)

// ErrRedirect says that a service sent the client somewhere it does not go.
var ErrRedirect = errors.New("redirect refused")

// HTTP is the client of a process: TLS 1.2 or newer, the system's roots or those of the file AWS_CA_BUNDLE alone, the proxies of
// the environment, at most ten redirects and none from https to http (docs/protocol/identity.md, "Environment, proxy, TLS, HTTP").
// On Windows the environment is completed with the system's proxy settings, once and for children too. Keep one and share it.
func HTTP() (*http.Client, error) {
	adoptProxy()
	bundle := os.Getenv("AWS_CA_BUNDLE")
	if bundle == "" {
		return newHTTP(nil), nil
	}
	pem, err := os.ReadFile(bundle)
	if err != nil {
		return nil, fmt.Errorf("cannot read AWS_CA_BUNDLE: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("cannot read AWS_CA_BUNDLE: %s holds no certificate", bundle)
	}
	return newHTTP(roots), nil
}

// newHTTP speaks HTTP/1.1 only: the services do, the hybrid scheme wants a chunked body, and it keeps memory small.
func newHTTP(roots *x509.CertPool) *http.Client {
	dialer := &net.Dialer{Timeout: 20 * time.Second, KeepAlive: 30 * time.Second}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Client{
		CheckRedirect: checkRedirect,
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         dialer.DialContext,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConnsPerHost: 8,
			IdleConnTimeout:     90 * time.Second,
			Protocols:           protocols,
			ReadBufferSize:      4 << 10,
			WriteBufferSize:     4 << 10,
		},
	}
}

func checkRedirect(req *http.Request, via []*http.Request) error {
	last := via[len(via)-1].URL
	if last.Scheme == "https" && req.URL.Scheme != "https" {
		return fmt.Errorf("%w: redirected from secure URL %s to insecure URL %s", ErrRedirect, last, req.URL)
	}
	if len(via) >= 10 {
		return fmt.Errorf("%w: stopped after 10 redirects", ErrRedirect)
	}
	return nil
}

// UserAgent is "aws-sdk-go-v2/<sdk> (<go>; <os>; <arch>) <name>/<version>", with " exec-env/<v>" when AWS_EXECUTION_ENV is set.
// name and version are the settings Agent.Name and Agent.Version; unlike the original's, the version is there without a
// configuration file too (docs/protocol/identity.md, "Common to all calls").
func UserAgent(name, version string) string {
	agent := fmt.Sprintf("aws-sdk-go-v2/%s (%s; %s; %s) %s/%s", aws.SDKVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH,
		name, version)
	if env := os.Getenv("AWS_EXECUTION_ENV"); env != "" {
		agent += " exec-env/" + env
	}
	return agent
}

// Endpoint is the address of a service: the override, which may be a bare host, else the one computed from region and domain
// (docs/protocol/identity.md, "Endpoints").
func Endpoint(service, region, domain, override string) (string, error) {
	if override != "" {
		return regions.WithScheme(override), nil
	}
	return regions.Endpoint(service, region, domain)
}
