package cloud_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
)

func writePEM(t *testing.T, path string, der []byte) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// docs/protocol/identity.md, "RequestManagedInstanceRoleToken, UpdateManagedInstancePublicKey — hybrid signature". The text that
// is signed is written out here, not made by the code under test, and the signature is checked by the standard library.
func TestTheSignatureOfAHybridNode(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, answer{200, "{}"})
	client := r.client(new([]time.Duration), func(o *cloud.Options) {
		o.Node = &cloud.NodeKey{InstanceID: "mi-0a1b2c3d4e5f60718", Private: key}
	})
	const body = `{"Fingerprint":"3f0c"}`
	err = client.Call(t.Context(), "RequestManagedInstanceRoleToken", map[string]string{"Fingerprint": "3f0c"}, nil)
	if err != nil || r.bodies[0] != body {
		t.Fatal(err, r.bodies)
	}
	req := r.requests[0]
	if req.ContentLength != -1 || !slices.Equal(req.TransferEncoding, []string{"chunked"}) || req.Header.Get("Content-Length") != "" {
		t.Error("the body is not chunked", req.ContentLength, req.TransferEncoding)
	}
	sum := sha256.Sum256([]byte(body))
	bodyHash := hex.EncodeToString(sum[:])
	if got := req.Header.Get("X-Amz-Content-Sha256"); got != bodyHash {
		t.Error(got)
	}
	const head = "AWS4-HMAC-SHA256 Credential=mi-0a1b2c3d4e5f60718/20260304/eu-west-1/ssm/aws4_request, " +
		"SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="
	text, ok := strings.CutPrefix(req.Header.Get("Authorization"), head)
	signature, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(text) != 344 {
		t.Fatal(req.Header.Get("Authorization"))
	}
	canonical := "POST\n/\n\n" +
		"content-type:application/x-amz-json-1.1\n" +
		"host:" + strings.TrimPrefix(r.URL, "http://") + "\n" +
		"x-amz-date:20260304T050607Z\n" +
		"x-amz-target:AmazonSSM.RequestManagedInstanceRoleToken\n\n" +
		"content-type;host;x-amz-date;x-amz-target\n" + bodyHash
	verify := func(canonical string) error {
		inner := sha256.Sum256([]byte(canonical))
		outer := sha256.Sum256([]byte("AWS4-HMAC-SHA256\n20260304T050607Z\n20260304/eu-west-1/ssm/aws4_request\n" +
			hex.EncodeToString(inner[:])))
		return rsa.VerifyPSS(&key.PublicKey, crypto.SHA256, outer[:], signature, &rsa.PSSOptions{SaltLength: 32})
	}
	if err := verify(canonical); err != nil {
		t.Error(err)
	}
	if verify(canonical[:len(canonical)-1]+"0") == nil && verify(canonical[:len(canonical)-1]+"1") == nil {
		t.Error("another body verifies")
	}
}
