package sign

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// certificate is a chain, leaf first and without its root, with the key of the leaf.
type certificate struct {
	leaf  *x509.Certificate
	chain []*x509.Certificate
	key   crypto.Signer
}

// openCertificate reads certificates and key and checks that they fit, and are valid now.
func openCertificate(o Options, certs, key []byte) (*certificate, error) {
	list, signer, err := readPair(o, certs, key)
	if err != nil {
		return nil, err
	}
	c := &certificate{key: signer}
	if signer == nil {
		if len(o.Command) == 0 {
			return nil, fmt.Errorf("%w: there is no private key to it, nor a signing command", ErrKey)
		}
		c.leaf = list[max(0, slices.IndexFunc(list, func(x *x509.Certificate) bool { return !x.IsCA }))]
		if c.key, err = o.Command.signer("x509", c.leaf.PublicKey); err != nil {
			return nil, err
		}
	} else if i := slices.IndexFunc(list, func(x *x509.Certificate) bool { return sameKey(x.PublicKey, signer.Public()) }); i >= 0 {
		c.leaf = list[i]
	} else {
		return nil, fmt.Errorf("%w: the private key belongs to none of the certificates", ErrKey)
	}
	switch c.leaf.PublicKey.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
	default:
		return nil, fmt.Errorf("%w: Authenticode knows RSA and ECDSA, not %s", ErrKey, c.leaf.PublicKeyAlgorithm)
	}
	c.chain = chainOf(c.leaf, list)
	for _, x := range c.chain {
		if o.Now.Before(x.NotBefore) || o.Now.After(x.NotAfter) {
			return nil, fmt.Errorf("%w: the certificate of %s is valid from %s to %s", ErrExpired, x.Subject,
				x.NotBefore.Format(time.DateOnly), x.NotAfter.Format(time.DateOnly))
		}
	}
	return c, nil
}

// readPair reads PEM, DER or PKCS #12. The signer is nil where there is no private key.
func readPair(o Options, certs, key []byte) ([]*x509.Certificate, crypto.Signer, error) {
	list, err := readCertificates(certs)
	if err != nil && len(key) == 0 && isPKCS12(certs) {
		return readPKCS12(certs, o.Passphrase)
	}
	if err != nil || len(key) == 0 {
		return list, nil, err
	}
	signer, err := readKey(key, o.Passphrase)
	return list, signer, err
}

func readPKCS12(b []byte, passphrase string) ([]*x509.Certificate, crypto.Signer, error) {
	key, leaf, others, err := pkcs12.DecodeChain(b, passphrase)
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return nil, nil, fmt.Errorf("%w for the PKCS #12 file", ErrPassphrase)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: PKCS #12: %w", ErrKey, err)
	}
	signer, _ := key.(crypto.Signer)
	return append([]*x509.Certificate{leaf}, others...), signer, nil
}

// isPKCS12 tells the outermost structure: a sequence that begins with version 3.
func isPKCS12(b []byte) bool {
	var outer struct {
		Version int
		Rest    asn1.RawValue
	}
	_, err := asn1.Unmarshal(b, &outer)
	var extra asn1.StructuralError
	return (err == nil || errors.As(err, &extra)) && outer.Version == 3
}

func readCertificates(b []byte) (list []*x509.Certificate, err error) {
	if !bytes.Contains(b, []byte("-----BEGIN")) {
		if list, err = x509.ParseCertificates(b); err != nil || len(list) == 0 {
			return nil, fmt.Errorf("%w: there is no certificate in it", ErrKey)
		}
		return list, nil
	}
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: there is no certificate in it", ErrKey)
	}
	return list, nil
}

// chainOf orders certificates from the leaf upwards, without the root.
func chainOf(leaf *x509.Certificate, list []*x509.Certificate) []*x509.Certificate {
	chain := []*x509.Certificate{leaf}
	for c := leaf; !bytes.Equal(c.RawIssuer, c.RawSubject) && len(chain) <= len(list); {
		i := slices.IndexFunc(list, func(x *x509.Certificate) bool { return bytes.Equal(x.RawSubject, c.RawIssuer) && !x.Equal(c) })
		if i < 0 || bytes.Equal(list[i].RawIssuer, list[i].RawSubject) {
			break
		}
		c = list[i]
		chain = append(chain, c)
	}
	return chain
}

func sameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// What a certificate may be for.
var (
	codeSigning    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
	appleInstaller = asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 4, 13} // Developer ID Installer
)

// may tells whether the leaf may be used for a purpose; one that names none may be used for all.
func (c *certificate) may(purpose asn1.ObjectIdentifier) bool {
	if len(c.leaf.ExtKeyUsage)+len(c.leaf.UnknownExtKeyUsage) == 0 || slices.Contains(c.leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return true
	}
	return purpose.Equal(codeSigning) && slices.Contains(c.leaf.ExtKeyUsage, x509.ExtKeyUsageCodeSigning) ||
		slices.ContainsFunc(c.leaf.UnknownExtKeyUsage, purpose.Equal)
}
