package protocol

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// window is how far a signature's time may lie from the region's.
const window = 15 * time.Minute

// signature is what a request carries of SigV4, from the Authorization header or from a presigned query.
type signature struct {
	wire.Authorization
	date      string // text of X-Amz-Date
	at        time.Time
	token     string
	presigned bool
	life      time.Duration // of a presigned request
	rawQuery  string        // without the signature itself
}

// readSignature takes the signature of a request; nil when nothing is signed.
func readSignature(req *http.Request) (*signature, error) {
	if req.Header.Get("Authorization") != "" {
		return headerSignature(req)
	}
	if !strings.Contains(req.URL.RawQuery, "X-Amz-Signature=") {
		return nil, nil
	}
	return querySignature(req)
}

func headerSignature(req *http.Request) (*signature, error) {
	a, err := wire.ParseAuthorization(req.Header.Get("Authorization"))
	if err != nil {
		return nil, Refusal{Malformed, "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters."}
	}
	s := &signature{Authorization: a, rawQuery: req.URL.RawQuery, token: req.Header.Get("X-Amz-Security-Token")}
	s.date = req.Header.Get("X-Amz-Date")
	if s.date != "" {
		s.at, err = time.Parse(wire.AmzDate, s.date)
	} else if s.at, err = http.ParseTime(req.Header.Get("Date")); err == nil {
		s.date = s.at.UTC().Format(wire.AmzDate)
	}
	if err != nil {
		return nil, Refusal{Malformed, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."}
	}
	return s, nil
}

func querySignature(req *http.Request) (*signature, error) {
	q := req.URL.Query()
	a, err := wire.ParseAuthorization(q.Get("X-Amz-Algorithm") + " Credential=" + q.Get("X-Amz-Credential") +
		", SignedHeaders=" + q.Get("X-Amz-SignedHeaders") + ", Signature=" + q.Get("X-Amz-Signature"))
	if err != nil {
		return nil, Refusal{Malformed,
			"Query-string authentication requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."}
	}
	s := &signature{Authorization: a, presigned: true, token: q.Get("X-Amz-Security-Token"), date: q.Get("X-Amz-Date"), life: window}
	if s.at, err = time.Parse(wire.AmzDate, s.date); err != nil {
		return nil, Refusal{Malformed, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""}
	}
	if text := q.Get("X-Amz-Expires"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 0 || seconds > 7*24*3600 {
			return nil, Refusal{Malformed, "X-Amz-Expires must be a number of seconds, at most a week (604800)"}
		}
		s.life = time.Duration(seconds) * time.Second
	}
	parts := strings.Split(req.URL.RawQuery, "&")
	s.rawQuery = strings.Join(slices.DeleteFunc(parts, func(p string) bool { return strings.HasPrefix(p, "X-Amz-Signature=") }), "&")
	return s, nil
}

// stringToSign rebuilds what the client signed.
func (s *signature) stringToSign(req *http.Request, bodyHash string, plainS3 bool) string {
	canonical := wire.CanonicalRequest{Method: req.Method, Path: RawPath(req), RawQuery: s.rawQuery, BodyHash: bodyHash,
		Header: func(name string) string { return headerAsSent(req, name) }, PlainS3: plainS3}.Canonical(s.SignedHeaders)
	return wire.StringToSign(s.date, s.Scope, canonical)
}

// RawPath is the path as it stood in the request line.
func RawPath(req *http.Request) string {
	path, _, _ := strings.Cut(req.RequestURI, "?")
	if !strings.HasPrefix(path, "/") { // absolute form, as proxies get it
		if u, err := url.Parse(path); err == nil {
			return u.EscapedPath()
		}
	}
	return path
}

// headerAsSent looks a header up, those too that net/http keeps elsewhere.
func headerAsSent(req *http.Request, name string) string {
	switch name {
	case "host":
		return req.Host
	case "content-length":
		return strconv.FormatInt(req.ContentLength, 10)
	case "transfer-encoding":
		return strings.Join(req.TransferEncoding, ",")
	}
	return strings.Join(req.Header.Values(name), ",")
}

// signingKey is the key SigV4 derives for a day, region and service.
func signingKey(secret string, s wire.Scope) []byte {
	key := mac([]byte("AWS4"+secret), s.Date)
	key = mac(key, s.Region)
	key = mac(key, s.Service)
	return mac(key, "aws4_request")
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// signs tells whether signature is the hex HMAC of text.
func signs(key []byte, text, signature string) bool {
	return hmac.Equal([]byte(hex.EncodeToString(mac(key, text))), []byte(signature))
}
