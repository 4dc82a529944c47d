package sign

import (
	"cmp"
	"crypto"
	"fmt"
	"time"
)

// Options are the keys of a build, as bytes; empty ones are left out.
type Options struct {
	PGPKey        []byte // OpenPGP key, armored or not; a public key only, if Command signs
	PGPPassphrase string // empty: Passphrase

	PGPNext           []byte // a second OpenPGP key, private: it signs texts (Clear, Armored) beside the first, which alone signs packages
	PGPNextPassphrase string // empty: PGPPassphrase

	Cert []byte // certificates in PEM or DER, that of the key among them; or a PKCS #12 file, then Key is empty
	Key  []byte // private key, PEM or DER: PKCS #8 (also encrypted), PKCS #1, SEC 1; empty: Command signs

	PkgCert, PkgKey []byte // for pkg, where it is not Cert and Key

	Passphrase   string
	Command      Command   // signs where a private key is not given
	TimestampURL string    // of an RFC 3161 server; empty: no timestamps
	Time         time.Time // of OpenPGP signatures
	Now          time.Time // at which keys must be valid
}

// Signer signs with what [Options] named.
type Signer struct {
	pgp      *pgpKey
	next     *pgpKey // nil: none
	windows  *certificate
	apple    *certificate
	stampURL string
}

// Open reads and checks all keys. Errors: ErrKey, ErrPassphrase, ErrExpired.
func Open(o Options) (*Signer, error) {
	s := &Signer{stampURL: o.TimestampURL}
	var err error
	if len(o.PGPKey) > 0 {
		if s.pgp, err = openPGP(o); err != nil {
			return nil, fmt.Errorf("OpenPGP key: %w", err)
		}
	}
	if len(o.PGPNext) > 0 {
		second := Options{PGPKey: o.PGPNext, PGPPassphrase: cmp.Or(o.PGPNextPassphrase, o.PGPPassphrase), Passphrase: o.Passphrase, Time: o.Time,
			Now: o.Now}
		if s.next, err = openPGP(second); err != nil {
			return nil, fmt.Errorf("second OpenPGP key: %w", err)
		}
	}
	if len(o.Key) > 0 && len(o.Cert) == 0 || len(o.PkgKey) > 0 && len(o.PkgCert) == 0 {
		return nil, fmt.Errorf("%w: a key without its certificate", ErrKey)
	}
	if len(o.Cert) > 0 {
		if s.windows, err = openCertificate(o, o.Cert, o.Key); err != nil {
			return nil, fmt.Errorf("certificate: %w", err)
		}
		s.apple = s.windows
	}
	if len(o.PkgCert) > 0 {
		if s.apple, err = openCertificate(o, o.PkgCert, o.PkgKey); err != nil {
			return nil, fmt.Errorf("certificate for pkg: %w", err)
		}
	}
	return s, s.purposes(len(o.PkgCert) > 0)
}

// purposes refuses certificates that say they are for something else.
func (s *Signer) purposes(separate bool) error {
	if s.windows != nil && !s.windows.may(codeSigning) && (separate || !s.windows.may(appleInstaller)) {
		return fmt.Errorf("%w: the certificate of %s is not for code signing", ErrKey, s.windows.leaf.Subject)
	}
	if separate && !s.apple.may(appleInstaller) && !s.apple.may(codeSigning) {
		return fmt.Errorf("%w: the certificate of %s is not for signing packages", ErrKey, s.apple.leaf.Subject)
	}
	return nil
}

// OpenPGP tells whether deb, rpm and .sig can be signed.
func (s *Signer) OpenPGP() bool { return s.pgp != nil }

// Windows tells whether exe and msi can be signed.
func (s *Signer) Windows() bool { return s.windows != nil && s.windows.may(codeSigning) }

// Pkg tells whether pkg can be signed.
func (s *Signer) Pkg() bool { return s.apple != nil }

const digest = crypto.SHA256
