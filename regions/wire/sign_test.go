package wire_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// The vector "get-vanilla" of the published SigV4 test suite.
func TestTheVectorGetVanillaIsSigned(t *testing.T) {
	r := wire.CanonicalRequest{Method: "GET", Path: "/", BodyHash: emptyHash, Header: func(name string) string {
		return map[string]string{"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"}[name]
	}}
	canonical := r.Canonical([]string{"host", "x-amz-date"})
	sum := sha256.Sum256([]byte(canonical))
	if got := hex.EncodeToString(sum[:]); got != "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63" {
		t.Errorf("canonical request hashes to %s:\n%s", got, canonical)
	}
	scope := wire.Scope{Date: "20150830", Region: "us-east-1", Service: "service"}
	text := wire.StringToSign("20150830T123600Z", scope, canonical)
	if got := hmacSignature("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", scope, text); got !=
		"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" {
		t.Errorf("signature %s", got)
	}
}

func hmacSignature(secret string, s wire.Scope, text string) string {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.Date, s.Region, s.Service, "aws4_request", text} {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(part))
		key = m.Sum(nil)
	}
	return hex.EncodeToString(key)
}

// What the AWS SDK signs, we arrive at as well: odd paths, queries, spaces in headers.
func TestCanonicalRequestsAgreeWithTheSDK(t *testing.T) {
	when := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, c := range []struct {
		method, url string
		s3          bool
	}{
		{"POST", "https://ssm.eu-west-1.amazonaws.com/", false},
		{"GET", "https://host:7700/a%20b/c+d/%C3%A9?z=1&a=x%2Fy&a=b&empty=&flag", false},
		{"PUT", "https://s3.local:7700/bucket/a%20b/c%2Bd/%C3%A9?partNumber=2&uploadId=x%3D%3D", true},
		{"GET", "https://s3.local/bucket?list-type=2&prefix=a%2Fb&delimiter=%2F", true},
	} {
		req, err := http.NewRequest(c.method, c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Amz-Meta-Words", "  two   words ")
		err = v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = c.s3 }).SignHTTP(context.Background(),
			aws.Credentials{AccessKeyID: "AK", SecretAccessKey: "SK"}, req, emptyHash, "svc", "eu-west-1", when)
		if err != nil {
			t.Fatal(err)
		}
		auth, err := wire.ParseAuthorization(req.Header.Get("Authorization"))
		if err != nil {
			t.Fatal(err)
		}
		r := wire.CanonicalRequest{Method: c.method, Path: req.URL.EscapedPath(), RawQuery: req.URL.RawQuery, BodyHash: emptyHash, PlainS3: c.s3,
			Header: func(name string) string {
				if name == "host" {
					return req.Host
				}
				return strings.Join(req.Header.Values(name), ",")
			}}
		text := wire.StringToSign(req.Header.Get("X-Amz-Date"), auth.Scope, r.Canonical(auth.SignedHeaders))
		if got := hmacSignature("SK", auth.Scope, text); got != auth.Signature {
			t.Errorf("%s %s: signature differs; canonical:\n%s", c.method, c.url, r.Canonical(auth.SignedHeaders))
		}
	}
}

// The hybrid form of docs/protocol/identity.md, "RequestManagedInstanceRoleToken, UpdateManagedInstancePublicKey — hybrid
// signature": same text, RSA-PSS instead of an HMAC.
func TestAHybridNodeSignsWithItsKey(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"Fingerprint":"0e3d"}`)
	sum := sha256.Sum256(body)
	header := map[string]string{"content-type": wire.ContentType, "host": "ssm.eu-west-1.amazonaws.com",
		"x-amz-date": "20260304T050607Z", "x-amz-target": "AmazonSSM.RequestManagedInstanceRoleToken"}
	r := wire.CanonicalRequest{Method: "POST", Path: "/", BodyHash: hex.EncodeToString(sum[:]),
		Header: func(n string) string { return header[n] }}
	scope := wire.ScopeAt(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), "eu-west-1", "ssm")
	want := "AWS4-HMAC-SHA256\n20260304T050607Z\n20260304/eu-west-1/ssm/aws4_request\n"
	text := wire.StringToSign(header["x-amz-date"], scope, r.Canonical(wire.HybridSignedHeaders))
	if !strings.HasPrefix(text, want) {
		t.Errorf("string to sign %q", text)
	}
	wantCanonical := "POST\n/\n\ncontent-type:application/x-amz-json-1.1\nhost:ssm.eu-west-1.amazonaws.com\nx-amz-date:20260304T050607Z\n" +
		"x-amz-target:AmazonSSM.RequestManagedInstanceRoleToken\n\ncontent-type;host;x-amz-date;x-amz-target\n" + hex.EncodeToString(sum[:])
	if got := r.Canonical(wire.HybridSignedHeaders); got != wantCanonical {
		t.Errorf("canonical\n%s\nwant\n%s", got, wantCanonical)
	}
	sig, err := wire.SignPSS(key, text)
	if err != nil || len(sig) != 344 {
		t.Fatalf("%d characters, %v", len(sig), err)
	}
	auth := wire.Authorization{KeyID: "mi-0a1b2c3d4e5f60718", Scope: scope, SignedHeaders: wire.HybridSignedHeaders, Signature: sig}
	again, err := wire.ParseAuthorization(auth.String())
	if err != nil || again.Signature != sig || !again.Hybrid() || again.Scope != scope {
		t.Errorf("%+v, %v", again, err)
	}
	if err := wire.VerifyPSS(&key.PublicKey, text, sig); err != nil {
		t.Error(err)
	}
	if wire.VerifyPSS(&key.PublicKey, text+"x", sig) == nil {
		t.Error("a changed text verifies")
	}
}

func FuzzAuthorization(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=mi-0a/20260304/eu-west-1/ssm/aws4_request, SignedHeaders=host, Signature=a+b/c==")
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := wire.ParseAuthorization(s); err == nil {
			if b, err := wire.ParseAuthorization(a.String()); err == nil && b.Signature != a.Signature && !bytes.Contains([]byte(s), []byte(",")) {
				t.Fatalf("%q reads %+v, then %+v", s, a, b)
			}
		}
	})
}
