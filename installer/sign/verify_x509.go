package sign

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sassoftware/relic/v7/lib/pkcs7"
	"github.com/sassoftware/relic/v7/lib/pkcs9"

	"github.com/ssm-setup/ssm-setup/installer/container/xar"
)

// pkg checks the files of a flat package against its table, and the signatures of the table.
func pkg(f *File) error {
	a, err := xar.Open(f.file, f.size)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBad, err)
	}
	for _, e := range a.Files {
		if _, err := a.Read(e, maxFile); err != nil {
			return fmt.Errorf("%w: %w", ErrBad, err)
		}
	}
	ticket, err := a.Cover()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBad, err)
	}
	f.report.Note = "notarisation was not looked at"
	if ticket > 0 {
		f.report.Note += fmt.Sprintf("; %d bytes of a notarisation ticket behind the package are not covered", ticket)
	}
	for _, s := range a.Signatures {
		sig, err := tableSignature(a, s)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBad, err)
		}
		if err := f.chained(s.Style, "the table of contents", sig, x509.ExtKeyUsageAny); err != nil {
			return err
		}
	}
	return nil
}

const maxFile = 4 << 30 >> 1 // of one file in a package

// tableSignature checks one signature of a table of contents.
func tableSignature(a *xar.Reader, f xar.Found) (s pkcs9.TimestampedSignature, err error) {
	if f.Element == "x-signature" && f.Style == "CMS" {
		var der asn1.RawValue // zeroes follow
		rest, err := asn1.Unmarshal(f.Bytes, &der)
		if err != nil {
			return s, fmt.Errorf("the CMS signature cannot be read: %w", err)
		}
		if len(bytes.Trim(rest, "\x00")) > 0 {
			return s, errors.New("something else lies behind the CMS signature")
		}
		signed, err := pkcs7.Unmarshal(der.FullBytes)
		if err != nil {
			return s, err
		}
		sig, err := signed.Content.Verify(a.Digest, false)
		if err != nil {
			return s, err
		}
		return pkcs9.VerifyOptionalTimestamp(sig)
	}
	if f.Element != "signature" || f.Style != "RSA" || len(f.Chain) == 0 {
		return s, fmt.Errorf("it has a signature of unknown kind")
	}
	for _, der := range f.Chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return s, err
		}
		s.Intermediates = append(s.Intermediates, c)
	}
	s.Certificate = s.Intermediates[0]
	key, ok := s.Certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return s, fmt.Errorf("its certificate has no RSA key")
	}
	return s, rsa.VerifyPKCS1v15(key, a.Hash, a.Digest, f.Bytes)
}

// chained adds a sound signature to the report and looks for the root of its chain.
func (f *File) chained(kind, of string, s pkcs9.TimestampedSignature, usage x509.ExtKeyUsage) error {
	c := s.Certificate
	out := Signature{Kind: kind, Of: of, By: named(c), Key: fmt.Sprintf("%x", sha256.Sum256(c.Raw)), Issuer: printable(c.Issuer.String()),
		Trust: Integrity, loose: unauthenticated(s)}
	at := f.Now
	if cs := s.CounterSignature; cs != nil {
		at = cs.SigningTime
		out.Stamped, out.StampedBy = at.UTC(), named(cs.Certificate)
	}
	for _, x := range chainOf(c, s.Intermediates) {
		out.Chain = append(out.Chain, printable(x.Subject.String()))
	}
	err := f.root(s.Signature, usage, at)
	if err == nil && usage == x509.ExtKeyUsageAny && !forPackages(c) {
		err = errors.New("its certificate is not for signing packages")
	}
	if cs := s.CounterSignature; err == nil && cs != nil {
		err = f.root(cs.Signature, x509.ExtKeyUsageTimeStamping, at)
	}
	switch {
	case err == nil && f.Roots != nil:
		out.Trust = ByCA
	case err == nil:
		out.Trust = BySystem
	default:
		out.Note = printable(err.Error())
	}
	f.add(out)
	if err == nil || !f.Strict() {
		return nil
	}
	if f.Roots == nil {
		return fmt.Errorf("%w: its chain leads to no root of this system", ErrUntrusted)
	}
	if expired(err) {
		return fmt.Errorf("%w: %s: %w", ErrExpired, out.By, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrUntrusted, out.By, err)
}

// forPackages tells whether a certificate may sign packages for macOS: one for web servers leads to the same roots.
func forPackages(c *x509.Certificate) bool {
	leaf := &certificate{leaf: c}
	return leaf.may(appleInstaller) || leaf.may(codeSigning)
}

func (f *File) root(s pkcs7.Signature, usage x509.ExtKeyUsage, at time.Time) error {
	pool := x509.NewCertPool()
	for _, c := range s.Intermediates {
		pool.AddCert(withoutAppleExtensions(c))
	}
	_, err := withoutAppleExtensions(s.Certificate).Verify(x509.VerifyOptions{Roots: f.Roots, Intermediates: pool, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

// withoutAppleExtensions is a certificate without Apple's own critical extensions: they say what it may sign.
func withoutAppleExtensions(c *x509.Certificate) *x509.Certificate {
	apple := asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 6}
	own := *c
	own.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(c.UnhandledCriticalExtensions), func(id asn1.ObjectIdentifier) bool {
		return len(id) > len(apple) && id[:len(apple)].Equal(apple)
	})
	return &own
}

func expired(err error) bool {
	var e x509.CertificateInvalidError
	return errors.As(err, &e) && e.Reason == x509.Expired
}

// named is who a certificate belongs to.
func named(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return printable(c.Subject.CommonName)
	}
	return printable(c.Subject.String())
}
