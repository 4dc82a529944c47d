package local

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// proof is who signed a request and what a streamed body needs to go on checking.
type proof struct {
	caller
	key       []byte // signing key
	scope     wire.Scope
	date      string
	signature string
}

// reason is why a signature is refused; each protocol has its own code for it (refusal.go).
type reason int

const (
	missing      reason = iota // not signed
	malformed                  // not readable as SigV4
	unknownKey                 // not issued here
	unknownNode                // hybrid: no such node
	badSignature               // does not verify
	badToken                   // session token missing or wrong
	expired                    // temporary credentials are past their time
	outdated                   // presigned request is past its time
	skewed                     // time of the signature is out of the window
	wrongRegion
	wrongService
	denied // proven, but not allowed
)

// refusal is a reason and its text.
type refusal struct {
	reason  reason
	message string
}

func (r refusal) Error() string { return r.message }

// Texts that AWS sends.
const (
	textMismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	textUnknown  = "The security token included in the request is invalid."
	textExpired  = "The security token included in the request is expired"
)

// authenticate finds out who signed a request for a service. Unsigned ones are anonymous. bodyHash is the hex SHA-256 of
// the body, or the literal that stands for it.
func (r *Region) authenticate(req *http.Request, signing, bodyHash string) (proof, error) {
	s, err := readSignature(req)
	if err != nil {
		return proof{}, err
	}
	if s == nil {
		return proof{caller: caller{anonymous: true}}, nil
	}
	if err := r.checkScope(s, signing); err != nil {
		return proof{}, err
	}
	if s.Hybrid() {
		return r.authenticateNode(s, req, bodyHash)
	}
	c, ok := r.credentialsOf(s.KeyID)
	if !ok {
		return proof{}, refusal{unknownKey, textUnknown}
	}
	key := signingKey(c.Secret, s.Scope)
	if !signs(key, s.stringToSign(req, bodyHash, signing == "s3"), s.Signature) {
		return proof{}, refusal{badSignature, textMismatch}
	}
	if subtle.ConstantTimeCompare([]byte(s.token), []byte(c.Token)) != 1 {
		return proof{}, refusal{badToken, textUnknown}
	}
	if !c.Expires.IsZero() && !r.now().Before(c.Expires) {
		return proof{}, refusal{expired, textExpired}
	}
	who := caller{administrator: c.InstanceID == "", instanceID: c.InstanceID, accessKey: c.AccessKeyID}
	return proof{caller: who, key: key, scope: s.Scope, date: s.date, signature: s.Signature}, nil
}

// authenticateNode checks the hybrid scheme: a node's id stands for the access key, its RSA key signs (spec identity 5.3).
func (r *Region) authenticateNode(s *signature, req *http.Request, bodyHash string) (proof, error) {
	key, ok := r.nodeKey(s.KeyID)
	if !ok {
		return proof{}, refusal{unknownNode, "The managed node " + s.KeyID + " is not registered in this region."}
	}
	if err := wire.VerifyPSS(key, s.stringToSign(req, bodyHash, false), s.Signature); err != nil {
		return proof{}, refusal{badSignature, textMismatch}
	}
	return proof{caller: caller{instanceID: s.KeyID, hybrid: true, accessKey: s.KeyID}}, nil
}

// checkScope checks all that does not need the key: time, date, region, service, signed headers.
func (r *Region) checkScope(s *signature, signing string) error {
	if s.Scope.Region != r.name {
		return refusal{wrongRegion, fmt.Sprintf("Credential should be scoped to a valid region, not '%s'; expecting '%s'.", s.Scope.Region, r.name)}
	}
	if s.Scope.Service != signing {
		return refusal{wrongService, fmt.Sprintf("Credential should be scoped to correct service: '%s'. ", signing)}
	}
	if s.Scope.Date != s.at.UTC().Format("20060102") {
		return refusal{badSignature, fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s'", s.Scope.Date, s.at.UTC().Format("20060102"))}
	}
	if !slices.Contains(s.SignedHeaders, "host") {
		return refusal{malformed, "'Host' must be a 'SignedHeader' in the AWS Authorization."}
	}
	return checkTime(s, r.clock.signing())
}

// checkTime holds the signature against the clock; now is not moved by [Region.Advance], as the clients' clocks are not.
func checkTime(s *signature, now time.Time) error {
	at, sent := now.UTC().Format(wire.AmzDate), s.date
	switch {
	case s.presigned && now.After(s.at.Add(s.life)):
		return refusal{outdated, "Request has expired"}
	case !s.presigned && now.Sub(s.at) > window:
		return refusal{skewed, fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 15 min.)", sent, now.Add(-window).UTC().Format(wire.AmzDate), at)}
	case s.at.Sub(now) > window:
		return refusal{skewed, fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 15 min.)", sent, now.Add(window).UTC().Format(wire.AmzDate), at)}
	}
	return nil
}

// unsignedHeader is an x-amz- header that a header signature should cover and does not.
func unsignedHeader(req *http.Request) (name string, found bool) {
	a, err := wire.ParseAuthorization(req.Header.Get("Authorization"))
	if err != nil {
		return "", false
	}
	for h := range req.Header {
		h = strings.ToLower(h)
		if strings.HasPrefix(h, "x-amz-") && h != "x-amz-content-sha256" && !slices.Contains(a.SignedHeaders, h) {
			return h, true
		}
	}
	return "", false
}
