package protocol

import (
	"crypto/rsa"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Account is the number of the account every caller belongs to.
const Account = "123456789012"

// Gate finds out who asks. Every service of a region shares one.
type Gate struct {
	Region  string           // name of the region
	Now     func() time.Time // the region's time, at which issued keys expire
	Signing func() time.Time // the time signatures are held against; it does not jump when a test moves the region's time
	Keys    *Keys
	NodeKey func(instanceID string) (key *rsa.PublicKey, ok bool) // ok is false for nodes unknown or deregistered
	Log     *slog.Logger
}

// Proof is who signed a request, and what a streamed body needs to go on checking.
type Proof struct {
	Caller
	Signature string // of the request, hex

	key   []byte // signing key; nil: not signed with a secret
	scope wire.Scope
	date  string
}

// Signed tells whether the chunks of a streamed body can be checked: the request was signed with a secret access key.
func (p Proof) Signed() bool { return p.key != nil }

// VerifyNext checks a signature that follows from the one before it in a streamed body. algorithm and hashes are the first and last
// lines of the string to sign.
func (p Proof) VerifyNext(algorithm, previous, hashes, claimed string) error {
	text := algorithm + "\n" + p.date + "\n" + p.scope.String() + "\n" + previous + "\n" + hashes
	if !signs(p.key, text, claimed) {
		return Refusal{BadSignature, textMismatch}
	}
	return nil
}

// Texts that AWS sends.
const (
	textMismatch = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	textUnknown = "The security token included in the request is invalid."
	textExpired = "The security token included in the request is expired"
)

// Authenticate finds out who signed a request for a service. Unsigned ones are anonymous. bodyHash is the hex SHA-256 of
// the body, or the literal that stands for it. Error: a [Refusal].
func (g *Gate) Authenticate(req *http.Request, signing, bodyHash string) (Proof, error) {
	s, err := readSignature(req)
	if err != nil {
		return Proof{}, err
	}
	if s == nil {
		return Proof{Caller: Caller{Anonymous: true}}, nil
	}
	if err := g.checkScope(s, signing); err != nil {
		return Proof{}, err
	}
	if s.Hybrid() {
		return g.authenticateNode(s, req, bodyHash)
	}
	c, ok := g.Keys.of(s.KeyID)
	if !ok {
		return Proof{}, Refusal{UnknownKey, textUnknown}
	}
	key := signingKey(c.Secret, s.Scope)
	if !signs(key, s.stringToSign(req, bodyHash, signing == "s3"), s.Signature) {
		return Proof{}, Refusal{BadSignature, textMismatch}
	}
	if subtle.ConstantTimeCompare([]byte(s.token), []byte(c.Token)) != 1 {
		return Proof{}, Refusal{BadToken, textUnknown}
	}
	if !c.Expires.IsZero() && !g.Now().Before(c.Expires) {
		return Proof{}, Refusal{Expired, textExpired}
	}
	if err := s.coversHeaders(req); err != nil {
		return Proof{}, err
	}
	who := Caller{Administrator: c.InstanceID == "", InstanceID: c.InstanceID, AccessKey: c.AccessKeyID}
	return Proof{Caller: who, key: key, scope: s.Scope, date: s.date, Signature: s.Signature}, nil
}

// authenticateNode checks the hybrid scheme: a node's id stands for the access key, its RSA key signs
// (docs/protocol/identity.md, "RequestManagedInstanceRoleToken, UpdateManagedInstancePublicKey — hybrid signature").
func (g *Gate) authenticateNode(s *signature, req *http.Request, bodyHash string) (Proof, error) {
	key, ok := g.NodeKey(s.KeyID)
	if !ok {
		return Proof{}, Refusal{UnknownNode, "The managed node " + s.KeyID + " is not registered in this region."}
	}
	if err := wire.VerifyPSS(key, s.stringToSign(req, bodyHash, false), s.Signature); err != nil {
		return Proof{}, Refusal{BadSignature, textMismatch}
	}
	if err := s.coversHeaders(req); err != nil {
		return Proof{}, err
	}
	return Proof{Caller: Caller{InstanceID: s.KeyID, Hybrid: true, AccessKey: s.KeyID}}, nil
}

// checkScope checks all that does not need the key: time, date, region, service, signed headers.
func (g *Gate) checkScope(s *signature, signing string) error {
	if s.Scope.Region != g.Region {
		return Refusal{WrongRegion,
			fmt.Sprintf("Credential should be scoped to a valid region, not '%s'; expecting '%s'.", s.Scope.Region, g.Region)}
	}
	if s.Scope.Service != signing {
		return Refusal{WrongService, fmt.Sprintf("Credential should be scoped to correct service: '%s'. ", signing)}
	}
	if day := s.at.UTC().Format("20060102"); s.Scope.Date != day {
		return Refusal{BadSignature,
			fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s'", s.Scope.Date, day)}
	}
	if !slices.Contains(s.SignedHeaders, "host") {
		return Refusal{Malformed, "'Host' must be a 'SignedHeader' in the AWS Authorization."}
	}
	return checkTime(s, g.Signing())
}

// checkTime holds the time of a signature against the clock.
func checkTime(s *signature, now time.Time) error {
	at, sent := now.UTC().Format(wire.AmzDate), s.date
	switch {
	case s.presigned && now.After(s.at.Add(s.life)):
		return Refusal{Outdated, "Request has expired"}
	case !s.presigned && now.Sub(s.at) > window:
		return Refusal{Skewed,
			fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 15 min.)", sent, now.Add(-window).UTC().Format(wire.AmzDate), at)}
	case s.at.Sub(now) > window:
		return Refusal{Skewed,
			fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 15 min.)", sent, now.Add(window).UTC().Format(wire.AmzDate), at)}
	}
	return nil
}

// coversHeaders refuses a request with an x-amz- header that its signature does not cover: it may have been put in on the way, and
// would change what is done (x-amz-target, x-amz-copy-source).
func (s *signature) coversHeaders(req *http.Request) error {
	for name := range req.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && name != "x-amz-content-sha256" && !slices.Contains(s.SignedHeaders, name) {
			return Refusal{NotSigned, "There were headers present in the request which were not signed: " + name}
		}
	}
	return nil
}

// knows tells whether a request names a key of this region. Whether it holds it, only the signature shows; but without its name
// there is none.
func (g *Gate) knows(req *http.Request) bool {
	s, err := readSignature(req)
	if err != nil || s == nil || s.Scope.Region != g.Region {
		return false
	}
	_, known := g.Keys.of(s.KeyID)
	if s.Hybrid() {
		_, known = g.NodeKey(s.KeyID)
	}
	return known
}

// Fault turns any error into what the client sees. What is neither a fault nor a refusal is the region's own failure, and logged.
// codes are those of the protocol that answers.
func (g *Gate) Fault(a *Answer, err error, codes func(Reason) (code string, status int)) Fault {
	var f Fault
	var no Refusal
	switch {
	case errors.As(err, &f):
	case errors.As(err, &no):
		f = Fault{Message: no.Message}
		f.Code, f.Status = codes(no.Reason)
	default:
		f = Failed()
		if a.Request.Context().Err() == nil {
			g.Log.Error("operation failed", "operation", a.Operation, "error", err)
		}
	}
	a.Code = f.Code
	return f
}
