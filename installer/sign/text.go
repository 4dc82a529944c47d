package sign

import (
	"bytes"
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
)

// Armored makes a detached OpenPGP signature as text: Release.gpg, repomd.xml.asc.
func (s *Signer) Armored(data []byte) ([]byte, error) {
	signature, err := s.Detach(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return armored(openpgp.SignatureType, signature)
}

// Clear puts a text into an OpenPGP message that people and old programs can still read: InRelease.
func (s *Signer) Clear(text []byte) ([]byte, error) {
	if s.pgp == nil {
		return nil, fmt.Errorf("%w: there is no OpenPGP key", ErrKey)
	}
	key, ok := s.pgp.entity.SigningKeyById(s.pgp.time, s.pgp.id)
	if !ok || key.PrivateKey == nil {
		return nil, fmt.Errorf("%w: there is no private OpenPGP key", ErrKey)
	}
	s.pgp.mu.Lock()
	defer s.pgp.mu.Unlock()
	var out bytes.Buffer
	w, err := clearsign.Encode(&out, key.PrivateKey, s.pgp.config())
	if err != nil {
		return nil, err
	}
	_, err = w.Write(text)
	if closed := w.Close(); err == nil {
		err = closed
	}
	return append(out.Bytes(), '\n'), s.pgp.reason(err)
}

// PublicKey is the OpenPGP key without its secrets, as text.
func (s *Signer) PublicKey() ([]byte, error) {
	if s.pgp == nil {
		return nil, fmt.Errorf("%w: there is no OpenPGP key", ErrKey)
	}
	var b bytes.Buffer
	if err := s.pgp.entity.Serialize(&b); err != nil {
		return nil, err
	}
	return armored(openpgp.PublicKeyType, b.Bytes())
}

func armored(kind string, data []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return append(b.Bytes(), '\n'), nil
}
