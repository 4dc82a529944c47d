package identity

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
)

// keyType is the only kind of key there is: RSA with 2048 bits (docs/protocol/identity.md, "Keys of a node").
const (
	keyType = "Rsa"
	keyBits = 2048
)

func newKey() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, keyBits) }

// encodePrivate is standard base64 of PKCS#1 DER.
func encodePrivate(key *rsa.PrivateKey) string {
	return base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(key))
}

func decodePrivate(text string) (*rsa.PrivateKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("the private key is not base64: %w", err)
	}
	return x509.ParsePKCS1PrivateKey(der)
}

// encodePublic is standard base64 of SubjectPublicKeyInfo DER: 392 characters.
func encodePublic(key *rsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(der), nil
}
