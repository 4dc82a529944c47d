package sign

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
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
	if err := serialize(&b, s.pgp.entity); err != nil {
		return nil, err
	}
	return armored(openpgp.PublicKeyType, b.Bytes())
}

// serialize writes a public key, its owner's names in their order: the library's has them in another one each time.
func serialize(w io.Writer, e *openpgp.Entity) error {
	parts := []interface{ Serialize(io.Writer) error }{e.PrimaryKey}
	add := func(list []*packet.Signature) {
		for _, s := range list {
			parts = append(parts, s)
		}
	}
	add(e.Revocations)
	add(e.Signatures)
	for _, name := range slices.Sorted(maps.Keys(e.Identities)) {
		parts = append(parts, e.Identities[name].UserId)
		add(e.Identities[name].Signatures)
	}
	for _, k := range e.Subkeys {
		parts = append(parts, k.PublicKey)
		add(k.Revocations)
		parts = append(parts, k.Sig)
	}
	for _, p := range parts {
		if err := p.Serialize(w); err != nil {
			return err
		}
	}
	return nil
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
