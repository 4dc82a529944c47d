package xar

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
)

// RSA is the classic signature: PKCS #1 v1.5 over the digest, by any holder of an RSA key. The chain is DER, leaf first.
func RSA(key crypto.Signer, chain [][]byte) (Signature, error) {
	public, ok := key.Public().(*rsa.PublicKey)
	if !ok {
		return Signature{}, fmt.Errorf("%w: this kind of signature needs an RSA key, not %T", ErrFormat, key.Public())
	}
	return Signature{Element: "signature", Style: "RSA", Size: int64(public.Size()), Chain: chain,
		Sign: func(digest []byte, hash crypto.Hash) ([]byte, error) { return key.Sign(rand.Reader, digest, hash) }}, nil
}

// heads are the bytes at the beginning of the heap: the digest, and each signature in its place.
func (a Archive) heads(digest []byte) ([]byte, error) {
	out := digest
	for _, s := range a.Signatures {
		b, err := s.Sign(digest, a.Hash)
		if err != nil {
			return nil, fmt.Errorf("xar: cannot sign: %w", err)
		}
		if int64(len(b)) > s.Size {
			return nil, fmt.Errorf("%w: a signature of %d bytes where %d are reserved", ErrFormat, len(b), s.Size)
		}
		out = append(append(out, b...), make([]byte, s.Size-int64(len(b)))...)
	}
	return out, nil
}
