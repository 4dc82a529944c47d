package wire

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Algorithm heads the string to sign and the Authorization header, of SigV4 and of the hybrid scheme alike.
const Algorithm = "AWS4-HMAC-SHA256"

// AmzDate is the layout of X-Amz-Date.
const AmzDate = "20060102T150405Z"

// HybridSignedHeaders are the headers a hybrid node signs, in order (docs/protocol/identity.md,
// "RequestManagedInstanceRoleToken, UpdateManagedInstancePublicKey — hybrid signature"). The body goes out chunked.
var HybridSignedHeaders = []string{"content-type", "host", "x-amz-date", "x-amz-target"}

// CanonicalRequest is what a signature covers. Header looks a lower-case name up ("host" included); values are trimmed and inner
// runs of spaces folded here.
type CanonicalRequest struct {
	Method   string
	Path     string // as sent, escaped
	RawQuery string
	Header   func(name string) string
	BodyHash string // lower-case hex SHA-256, or the literal of X-Amz-Content-Sha256
	PlainS3  bool   // S3 signs the path as sent, others escape it once more
}

// Canonical is the canonical request over the named headers.
func (r CanonicalRequest) Canonical(signed []string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + r.canonicalPath() + "\n" + canonicalQuery(r.RawQuery) + "\n")
	for _, name := range signed {
		b.WriteString(name + ":" + strings.Join(strings.Fields(r.Header(name)), " ") + "\n")
	}
	b.WriteString("\n" + strings.Join(signed, ";") + "\n" + r.BodyHash)
	return b.String()
}

func (r CanonicalRequest) canonicalPath() string {
	path := r.Path
	if path == "" {
		path = "/"
	}
	if r.PlainS3 {
		return path
	}
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = escape(p)
	}
	return strings.Join(parts, "/")
}

// canonicalQuery sorts the parameters by escaped name and value.
func canonicalQuery(raw string) string {
	if raw == "" {
		return ""
	}
	var pairs [][]string
	for _, part := range strings.Split(raw, "&") {
		if part == "" {
			continue
		}
		k, v, _ := strings.Cut(part, "=")
		pairs = append(pairs, []string{escape(unescape(k)), escape(unescape(v))})
	}
	slices.SortFunc(pairs, slices.Compare)
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p[0] + "=" + p[1])
	}
	return b.String()
}

func unescape(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

// escape is the URI encoding of SigV4: all but unreserved characters.
func escape(s string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

// Scope is <yyyymmdd>/<region>/<service>/aws4_request.
type Scope struct{ Date, Region, Service string }

// ScopeAt is the scope of a moment.
func ScopeAt(t time.Time, region, service string) Scope {
	return Scope{Date: t.UTC().Format("20060102"), Region: region, Service: service}
}

func (s Scope) String() string { return s.Date + "/" + s.Region + "/" + s.Service + "/aws4_request" }

// StringToSign for the moment amzDate (the text of X-Amz-Date).
func StringToSign(amzDate string, scope Scope, canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	return Algorithm + "\n" + amzDate + "\n" + scope.String() + "\n" + hex.EncodeToString(sum[:])
}

// Authorization is the header of that name, taken apart.
type Authorization struct {
	KeyID         string // access key id, or the managed node id in the hybrid scheme
	Scope         Scope
	SignedHeaders []string
	Signature     string // hex of an HMAC, or base64 of an RSA-PSS signature
}

func (a Authorization) String() string {
	return fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		Algorithm, a.KeyID, a.Scope, strings.Join(a.SignedHeaders, ";"), a.Signature)
}

// Hybrid tells whether the signature is of the RSA-PSS scheme: the key id is a managed node's.
func (a Authorization) Hybrid() bool { return strings.HasPrefix(a.KeyID, "mi-") }

// ErrAuthorization says that an Authorization header does not have the form of SigV4.
var ErrAuthorization = errors.New("malformed Authorization header")

// ParseAuthorization reads the header; base64 signatures may hold + / and =.
func ParseAuthorization(header string) (Authorization, error) {
	rest, ok := strings.CutPrefix(header, Algorithm+" ")
	if !ok {
		return Authorization{}, ErrAuthorization
	}
	var a Authorization
	for _, part := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			f := strings.Split(value, "/")
			if len(f) < 5 || f[len(f)-1] != "aws4_request" {
				return Authorization{}, ErrAuthorization
			}
			n := len(f)
			a.KeyID = strings.Join(f[:n-4], "/")
			a.Scope = Scope{Date: f[n-4], Region: f[n-3], Service: f[n-2]}
		case "SignedHeaders":
			a.SignedHeaders = strings.Split(value, ";")
		case "Signature":
			a.Signature = value
		}
	}
	if a.KeyID == "" || len(a.SignedHeaders) == 0 || a.Signature == "" {
		return Authorization{}, ErrAuthorization
	}
	return a, nil
}

// pss is RSASSA-PSS with SHA-256 and a salt of 32 bytes (docs/protocol/identity.md, "RequestManagedInstanceRoleToken,
// UpdateManagedInstancePublicKey — hybrid signature").
var pss = &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}

// SignPSS signs text with a node's private key: standard base64, 344 characters for RSA 2048.
func SignPSS(key *rsa.PrivateKey, text string) (string, error) {
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], pss)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(sig), nil
}

// VerifyPSS checks what [SignPSS] made.
func VerifyPSS(key *rsa.PublicKey, text, signature string) error {
	sig, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(text))
	return rsa.VerifyPSS(key, crypto.SHA256, sum[:], sig, pss)
}
