package sign

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/ssm-setup/ssm-setup/installer/systems"
)

// pgpKeys are the keys that sign texts, at least one. Errors: ErrKey.
func (s *Signer) pgpKeys() ([]*pgpKey, error) {
	if s.pgp == nil {
		return nil, fmt.Errorf("%w: there is no OpenPGP key", ErrKey)
	}
	if s.next == nil {
		return []*pgpKey{s.pgp}, nil
	}
	return []*pgpKey{s.pgp, s.next}, nil
}

// Armored makes a detached OpenPGP signature as text, by each key: Release.gpg, repomd.xml.asc.
func (s *Signer) Armored(data []byte) ([]byte, error) {
	keys, err := s.pgpKeys()
	if err != nil {
		return nil, err
	}
	var all []byte
	for _, k := range keys {
		signature, err := k.detach(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		all = append(all, signature...)
	}
	return armored(openpgp.SignatureType, all)
}

// Clear puts a text into an OpenPGP message that people and old programs can still read, with a signature by each key: InRelease.
func (s *Signer) Clear(text []byte) ([]byte, error) {
	keys, err := s.pgpKeys()
	if err != nil {
		return nil, err
	}
	var private []*packet.PrivateKey
	config := keys[0].config()
	for _, k := range keys {
		key, ok := k.entity.SigningKeyById(k.time, k.id)
		if !ok || key.PrivateKey == nil {
			return nil, fmt.Errorf("%w: there is no private OpenPGP key", ErrKey)
		}
		private = append(private, key.PrivateKey)
		if k.time.After(keys[0].time) {
			config.Time = k.config().Time
		}
		k.mu.Lock()
		defer k.mu.Unlock()
	}
	var out bytes.Buffer
	w, err := clearsign.EncodeMulti(&out, private, config)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(text)
	if closed := w.Close(); err == nil {
		err = closed
	}
	return append(out.Bytes(), '\n'), keys[0].reason(err)
}

// PublicKey is the OpenPGP keys without their secrets, as one text: apt reads no second one of a file.
func (s *Signer) PublicKey() ([]byte, error) {
	keys, err := s.pgpKeys()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, k := range keys {
		if err := serialize(&b, k.entity); err != nil {
			return nil, err
		}
	}
	return armored(openpgp.PublicKeyType, b.Bytes())
}

// Knows tells whether one of the keys is in a file of public keys: who trusts that file can check what is signed now. A file that is
// none knows no key.
func (s *Signer) Knows(file []byte) bool {
	ring, err := readRing(file)
	if err != nil {
		return false
	}
	keys, _ := s.pgpKeys()
	return slices.ContainsFunc(keys, func(k *pgpKey) bool {
		return slices.ContainsFunc(ring, func(e *openpgp.Entity) bool {
			return bytes.Equal(e.PrimaryKey.Fingerprint, k.entity.PrimaryKey.Fingerprint)
		})
	})
}

// Warnings say for people what of the keys some of the systems that packages are for cannot check; nothing for nil.
func (s *Signer) Warnings() (list []string) {
	if s == nil {
		return nil
	}
	keys, _ := s.pgpKeys()
	for _, k := range keys {
		key, _ := k.entity.SigningKeyById(k.time, k.id)
		edwards := []packet.PublicKeyAlgorithm{packet.PubKeyAlgoEdDSA, packet.PubKeyAlgoEd25519, packet.PubKeyAlgoEd448}
		if slices.Contains(edwards, key.PublicKey.PubKeyAlgo) {
			list = append(list, fmt.Sprintf("%s is an Ed25519 key: %s cannot check what it signs; an RSA key works everywhere", owner(k.entity),
				strings.Join(systems.WithoutEd25519(), ", ")))
		}
	}
	return list
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

// SharesKey tells whether two files of public keys have a key in common.
func SharesKey(one, other []byte) bool {
	first, err := readRing(one)
	if err != nil {
		return false
	}
	second, err := readRing(other)
	return err == nil && slices.ContainsFunc(first, func(a *openpgp.Entity) bool {
		return slices.ContainsFunc(second, func(b *openpgp.Entity) bool {
			return bytes.Equal(a.PrimaryKey.Fingerprint, b.PrimaryKey.Fingerprint)
		})
	})
}
