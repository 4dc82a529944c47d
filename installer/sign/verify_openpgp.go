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
	if err := onlySignatures(raw); err != nil {
		return s, fmt.Errorf("%w: %s: %w", ErrBad, of, err)
	}
	if s.loose, err = unhashed(raw); err != nil {
		return s, fmt.Errorf("%w: %s: %w", ErrBad, of, err)
	}
	s.Key = keyOf(found)
	s.By, s.Made = "key "+s.Key, found.CreationTime.UTC()
	if len(t.Keys) == 0 {
		if s.Note = "the key that made it was not given"; t.Strict() {
			return s, fmt.Errorf("%w: %s can be checked with the OpenPGP key only", ErrUntrusted, of)
		}
		return s, nil
	}
	return t.byKeys(s, data, raw)
}

// onlySignatures refuses bytes beside signatures: nothing covers them.
func onlySignatures(raw []byte) error {
	for r := bytes.NewReader(raw); r.Len() > 0; {
		p, err := packet.Read(r)
		if _, ok := p.(*packet.Signature); !ok || err != nil {
			return errors.New("something else lies behind the signature")
		}
	}
	return nil
}

func (t Trusted) byKeys(s Signature, data io.Reader, raw []byte) (Signature, error) {
	config := &packet.Config{Time: func() time.Time { return t.Now }}
	found, entity, err := openpgp.VerifyDetachedSignature(t.Keys, data, bytes.NewReader(raw), config)
	if entity != nil { // of several signatures the one by a key that was named
		s.By, s.Made, s.Key = owner(entity), found.CreationTime.UTC(), keyOf(found)
	}
	switch {
	case err == nil:
		s.Trust = ByKey
		return s, nil
	case errors.Is(err, pgperrors.ErrUnknownIssuer):
		return s, fmt.Errorf("%w: %s was made by key %s", ErrUntrusted, s.Of, s.Key)
	case errors.Is(err, pgperrors.ErrKeyExpired) && entity != nil:
		// As gpg has it: what was signed while the key was valid stays signed. It is this very key that counts: another of the
		// same owner may have been valid longer.
		if _, valid := entity.SigningKeyById(s.Made, *found.IssuerKeyId); !valid || s.Made.After(t.Now) || found.SigExpired(t.Now) {
			return s, fmt.Errorf("%w: %s", ErrExpired, s.By)
		}
		s.Trust, s.Note = ByKey, "the key has expired since"
		return s, nil
	case errors.Is(err, pgperrors.ErrKeyRevoked), errors.Is(err, pgperrors.ErrSignatureExpired):
		return s, fmt.Errorf("%w: %s: %w", ErrExpired, s.By, err)
	}
	return s, fmt.Errorf("%w: %s", ErrBad, s.Of)
}

// keyOf names the key that made a signature: its fingerprint, or its id.
func keyOf(s *packet.Signature) string {
	if len(s.IssuerFingerprint) > 0 {
		return fmt.Sprintf("%X", s.IssuerFingerprint)
	}
	return fmt.Sprintf("%016X", *s.IssuerKeyId)
}

// OpenPGP checks one OpenPGP signature of some of the file's bytes and adds it to the report; of says for people what it covers.
// Errors: ErrBad, ErrUntrusted, ErrExpired.
func (f *File) OpenPGP(data io.Reader, sig []byte, of string) error {
	s, err := f.Trusted.detached(data, sig, of)
	f.add(s)
	return err
}

// printable is a name for people, without anything a terminal would act upon.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, name)
}
