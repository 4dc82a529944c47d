package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
)

// Bits of an RSA key that counts.
const leastRSA, mostRSA = 2048, 8192

// key is a public key that can count toward a threshold. mark is equal for equal keys, whatever they are called.
type key struct {
	mark   string
	verify func(message, signature []byte) bool
}

// parseKey reads a key of a root. Nil without an error is a key of a kind, scheme or size that is not known here: it never counts. What
// is not even shaped like a key is an error.
func parseKey(o object) (*key, error) {
	kind, err := member[string](o, "keytype")
	if err != nil {
		return nil, err
	}
	scheme, err := member[string](o, "scheme")
	if err != nil {
		return nil, err
	}
	values, err := member[object](o, "keyval")
	if err != nil {
		return nil, err
	}
	if kind+" "+scheme == "ed25519 ed25519" {
		text, err := member[string](values, "public")
		if err != nil {
			return nil, err
		}
		return ed25519Key(text), nil
	}
	text, _ := values["public"].(string)
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, nil
	}
	switch kind + " " + scheme {
	case "ecdsa ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256 ecdsa-sha2-nistp256":
		return ecdsaKey(block.Bytes), nil
	case "rsa rsassa-pss-sha256":
		return rsaKey(block), nil
	}
	return nil, nil
}

func ed25519Key(text string) *key {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil
	}
	return &key{"ed25519 " + string(raw), func(message, signature []byte) bool {
		return ed25519.Verify(raw, message, signature)
	}}
}

func ecdsaKey(der []byte) *key {
	parsed, err := x509.ParsePKIXPublicKey(der)
	public, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok || public.Curve != elliptic.P256() {
		return nil
	}
	point, err := public.Bytes()
	if err != nil {
		return nil
	}
	return &key{"ecdsa " + string(point), func(message, signature []byte) bool {
		sum := sha256.Sum256(message)
		return ecdsa.VerifyASN1(public, sum[:], signature)
	}}
}

func rsaKey(block *pem.Block) *key {
	var public *rsa.PublicKey
	if block.Type == "RSA PUBLIC KEY" {
		public, _ = x509.ParsePKCS1PublicKey(block.Bytes)
	} else if parsed, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
		public, _ = parsed.(*rsa.PublicKey)
	}
	if public == nil || public.N.BitLen() < leastRSA || public.N.BitLen() > mostRSA {
		return nil
	}
	return &key{fmt.Sprintf("rsa %x %x", public.E, public.N), func(message, signature []byte) bool {
		sum := sha256.Sum256(message)
		return rsa.VerifyPSS(public, crypto.SHA256, sum[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}) == nil
	}}
}
