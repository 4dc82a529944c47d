// Package testca is a certificate authority and a time-stamp server that a test can hold in its hand: a root, an issuer below
// it, certificates for whatever a test needs, and RFC 3161 over HTTP on loopback.
//
// Parties: tests of installer/sign and of ssm-setup. Nothing of the product imports it.
package testca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"time"
)

// TB is the part of testing.TB that is used.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(string, ...any)
}

// Authority is an authority: every certificate comes from its issuer.
type Authority struct {
	tb           TB
	root, issuer pair
	now          time.Time
}

type pair struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// New makes an authority whose certificates are valid around a time.
func New(tb TB, now time.Time) *Authority {
	tb.Helper()
	n := &Authority{tb: tb, now: now}
	n.root = n.make("Authority Root", pair{}, n.ecdsa(), authority)
	n.issuer = n.make("Authority Issuer", n.root, n.ecdsa(), authority)
	return n
}

// Root is the certificate that leads the chains, as PEM.
func (n *Authority) Root() []byte { return block("CERTIFICATE", n.root.cert.Raw) }

// Purposes of certificates.
var (
	CodeSigning    = usage(false, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3})
	ServerAuth     = usage(false, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1})
	AppleInstaller = usage(true, asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 4, 13})
	timeStamping   = usage(true, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8})
)

// Change alters a certificate before it is made.
type Change func(*x509.Certificate)

// Valid sets the time of a certificate.
func Valid(from, to time.Time) Change {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, to }
}

// RSA issues a certificate with an RSA key of 2048 bits; the chain comes leaf first, without the root.
func (n *Authority) RSA(name string, changes ...Change) (chain, key []byte) {
	n.tb.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	n.must(err)
	return n.issue(name, k, changes)
}

// ECDSA issues a certificate with a P-256 key.
func (n *Authority) ECDSA(name string, changes ...Change) (chain, key []byte) {
	n.tb.Helper()
	return n.issue(name, n.ecdsa(), changes)
}

func (n *Authority) issue(name string, k crypto.Signer, changes []Change) (chain, key []byte) {
	n.tb.Helper()
	p := n.make(name, n.issuer, k, changes...)
	der, err := x509.MarshalPKCS8PrivateKey(k)
	n.must(err)
	return append(block("CERTIFICATE", p.cert.Raw), block("CERTIFICATE", n.issuer.cert.Raw)...), block("PRIVATE KEY", der)
}

func (n *Authority) ecdsa() crypto.Signer {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	n.must(err)
	return k
}

// make signs a certificate; without an issuer it signs itself.
func (n *Authority) make(name string, by pair, k crypto.Signer, changes ...Change) pair {
	n.tb.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	n.must(err)
	c := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: []string{"ssm-setup tests"}},
		NotBefore: n.now.Add(-24 * time.Hour), NotAfter: n.now.Add(365 * 24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true}
	for _, change := range changes {
		change(c)
	}
	if by.cert == nil {
		by = pair{c, k}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.cert, k.Public(), by.key)
	n.must(err)
	made, err := x509.ParseCertificate(der)
	n.must(err)
	return pair{made, k}
}

func authority(c *x509.Certificate) {
	c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
}

func usage(critical bool, id asn1.ObjectIdentifier) Change {
	return func(c *x509.Certificate) {
		value, _ := asn1.Marshal([]asn1.ObjectIdentifier{id})
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: critical, Value: value})
	}
}

func block(kind string, der []byte) []byte {
	var b bytes.Buffer
	_ = pem.Encode(&b, &pem.Block{Type: kind, Bytes: der})
	return b.Bytes()
}

func (n *Authority) must(err error) {
	n.tb.Helper()
	if err != nil {
		n.tb.Fatalf("authority: %v", err)
	}
}
