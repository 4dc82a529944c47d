package sign

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// detached checks an OpenPGP signature, armored or not, of some bytes.
func (t Trusted) detached(data io.Reader, sig []byte, of string) (Signature, error) {
	s := Signature{Kind: "OpenPGP", Of: of, Trust: NotChecked}
	raw := sig
	if bytes.HasPrefix(bytes.TrimSpace(sig), []byte("-----BEGIN PGP")) {
		block, err := armor.Decode(bytes.NewReader(sig))
		if err == nil {
			raw, err = io.ReadAll(block.Body)
		}
		if err != nil {
			return s, fmt.Errorf("%w: %s: %w", ErrBad, of, err)
		}
	}
	p, err := packet.Read(bytes.NewReader(raw))
	found, ok := p.(*packet.Signature)
	if err != nil || !ok || found.IssuerKeyId == nil {
		return s, fmt.Errorf("%w: %s is no OpenPGP signature", ErrBad, of)
	}
	s.Key = fmt.Sprintf("%016X", *found.IssuerKeyId)
	if len(found.IssuerFingerprint) > 0 {
		s.Key = fmt.Sprintf("%X", found.IssuerFingerprint)
	}
	s.By, s.Made = "key "+s.Key, found.CreationTime.UTC()
	if len(t.Keys) == 0 {
		if s.Note = "the key that made it was not given"; t.Strict() {
			return s, fmt.Errorf("%w: %s can be checked with the OpenPGP key only", ErrUntrusted, of)
		}
		return s, nil
	}
	return t.byKeys(s, data, raw)
}

func (t Trusted) byKeys(s Signature, data io.Reader, raw []byte) (Signature, error) {
	config := &packet.Config{Time: func() time.Time { return t.Now }}
	_, entity, err := openpgp.VerifyDetachedSignature(t.Keys, data, bytes.NewReader(raw), config)
	if entity != nil {
		s.By = owner(entity)
	}
	switch {
	case err == nil:
		s.Trust = ByKey
		return s, nil
	case errors.Is(err, pgperrors.ErrUnknownIssuer):
		return s, fmt.Errorf("%w: %s was made by key %s", ErrUntrusted, s.Of, s.Key)
	case errors.Is(err, pgperrors.ErrKeyExpired) && entity != nil:
		// As gpg has it: what was signed while the key was valid stays signed.
		if s.Made.After(t.Now) || expiredAt(entity, s.Made) {
			return s, fmt.Errorf("%w: %s", ErrExpired, s.By)
		}
		s.Trust, s.Note = ByKey, "the key has expired since"
		return s, nil
	case errors.Is(err, pgperrors.ErrKeyRevoked), errors.Is(err, pgperrors.ErrSignatureExpired):
		return s, fmt.Errorf("%w: %s: %w", ErrExpired, s.By, err)
	}
	return s, fmt.Errorf("%w: %s", ErrBad, s.Of)
}

func expiredAt(e *openpgp.Entity, at time.Time) bool {
	_, ok := e.SigningKey(at)
	return !ok
}

// signed checks one signature of a package and adds it to the report.
func (l *look) signed(data io.Reader, sig []byte, of string) error {
	s, err := l.Trusted.detached(data, sig, of)
	l.add(s)
	return err
}

// plain is a name for people, without anything a terminal would act upon.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, name)
}
