package cloud

import (
	"context"
	"crypto/rsa"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// NodeKey signs as a hybrid node: RSA-PSS over the string to sign of SigV4, the node's id in place of an access key. The operations
// that know it are RequestManagedInstanceRoleToken and UpdateManagedInstancePublicKey (docs/protocol/identity.md,
// "RequestManagedInstanceRoleToken, UpdateManagedInstancePublicKey — hybrid signature").
type NodeKey struct {
	InstanceID string // mi-…
	Private    *rsa.PrivateKey
}

// sign covers exactly wire.HybridSignedHeaders. The body goes out chunked; its hash is sent but not among the signed headers.
func (k *NodeKey) sign(req *http.Request, body []byte, region, service string, now time.Time) error {
	date := now.UTC().Format(wire.AmzDate)
	req.Header.Set("X-Amz-Date", date)
	req.Header.Set("X-Amz-Content-Sha256", host.SHA256Bytes(body))
	req.ContentLength = -1
	scope := wire.ScopeAt(now, region, service)
	canonical := wire.CanonicalRequest{
		Method: req.Method, Path: req.URL.EscapedPath(), RawQuery: req.URL.RawQuery, BodyHash: host.SHA256Bytes(body),
		Header: func(name string) string {
			if name == "host" {
				return hostHeader(req)
			}
			return req.Header.Get(name)
		},
	}.Canonical(wire.HybridSignedHeaders)
	signature, err := wire.SignPSS(k.Private, wire.StringToSign(date, scope, canonical))
	if err != nil {
		return fmt.Errorf("cannot sign with the node's key: %w", err)
	}
	req.Header.Set("Authorization", wire.Authorization{KeyID: k.InstanceID, Scope: scope,
		SignedHeaders: wire.HybridSignedHeaders, Signature: signature}.String())
	return nil
}

// hostHeader is the value of Host as it is sent and signed: the port only where it is not the scheme's own.
func hostHeader(req *http.Request) string {
	host, port := req.URL.Host, req.URL.Port()
	if (req.URL.Scheme == "https" && port == "443") || (req.URL.Scheme == "http" && port == "80") {
		host = host[:len(host)-len(port)-1]
	}
	req.Host = host
	return host
}

// signV4 signs with temporary or lasting credentials.
func signV4(ctx context.Context, p aws.CredentialsProvider, req *http.Request, hash, region, service string, now time.Time) error {
	credentials, err := p.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoCredentials, err)
	}
	hostHeader(req)
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
	return signer.SignHTTP(ctx, credentials, req, hash, service, region, now)
}

// invalidate asks a provider that remembers credentials to forget them.
func invalidate(p aws.CredentialsProvider) {
	if f, ok := p.(interface{ Invalidate() }); ok {
		f.Invalidate()
	}
}
