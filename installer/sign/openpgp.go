package sign

import (
	"bytes"
	"crypto"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// pgpKey is a key that can sign: its owner, and which of its keys signs.
type pgpKey struct {
	entity *openpgp.Entity
	id     uint64
	time   time.Time
	outer  *outer // where a command signs

	mu sync.Mutex
}

// outer keeps why a command failed: the library does not pass that on.
type outer struct {
	crypto.Signer
	err error
}

func (o *outer) Sign(r io.Reader, sum []byte, opts crypto.SignerOpts) (sig []byte, err error) {
	sig, err = o.Signer.Sign(r, sum, opts)
	o.err = err
	return sig, err
}

// openPGP reads a key, unlocks it, and settles the time of its signatures: that of the build, or of the key where that is
// newer (a signature older than its key is accepted by no program).
func openPGP(o Options) (*pgpKey, error) {
	ring, err := readRing(o.PGPKey)
	if err != nil {
		return nil, err
	}
	if len(ring) != 1 {
		return nil, fmt.Errorf("%w: it has to be one key, not %d", ErrKey, len(ring))
	}
	e := ring[0]
	key, ok := e.SigningKey(o.Now)
	if !ok {
		return nil, fmt.Errorf("%w: %s has expired or is revoked, or must not sign", ErrExpired, owner(e))
	}
	k := &pgpKey{entity: e, id: key.PublicKey.KeyId, time: o.Time}
	if err := k.private(o, key); err != nil {
		return nil, err
	}
	self, _ := e.PrimarySelfSignature()
	for _, t := range []time.Time{e.PrimaryKey.CreationTime, self.CreationTime, key.PublicKey.CreationTime, key.SelfSignature.CreationTime} {
		if t.After(k.time) {
			k.time = t
		}
	}
	if _, ok := e.SigningKeyById(k.time, k.id); !ok {
		return nil, fmt.Errorf("%w: %s is not valid at %s, the build's time", ErrExpired, owner(e), k.time.UTC().Format(time.RFC3339))
	}
	return k, nil
}

// private unlocks the private key, or puts the command in its place.
func (k *pgpKey) private(o Options, key openpgp.Key) error {
	p := key.PrivateKey
	if p == nil || p.Dummy() {
		if len(o.Command) == 0 {
			return fmt.Errorf("%w: it is a public key only; a signing command would have to sign", ErrKey)
		}
		signer, err := o.Command.signer("openpgp", key.PublicKey.PublicKey)
		if err != nil {
			return err
		}
		k.outer = &outer{Signer: signer}
		k.setCommand(&packet.PrivateKey{PublicKey: *key.PublicKey, PrivateKey: k.outer})
		return nil
	}
	if !p.Encrypted {
		return nil
	}
	words := o.PGPPassphrase
	if words == "" {
		words = o.Passphrase
	}
	if words == "" || p.Decrypt([]byte(words)) != nil {
		return fmt.Errorf("%w for %s", ErrPassphrase, owner(k.entity))
	}
	return nil
}

func (k *pgpKey) setCommand(p *packet.PrivateKey) {
	if k.entity.PrimaryKey.KeyId == p.KeyId {
		k.entity.PrivateKey = p
	}
	for i := range k.entity.Subkeys {
		if k.entity.Subkeys[i].PublicKey.KeyId == p.KeyId {
			k.entity.Subkeys[i].PrivateKey = p
		}
	}
}

// Detach makes a binary OpenPGP signature of some bytes.
func (s *Signer) Detach(data io.Reader) (signature []byte, err error) {
	if s.pgp == nil {
		return nil, fmt.Errorf("%w: there is no OpenPGP key", ErrKey)
	}
	return s.pgp.detach(data)
}

func (k *pgpKey) detach(data io.Reader) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out bytes.Buffer
	err := openpgp.DetachSign(&out, k.entity, data, k.config())
	return out.Bytes(), k.reason(err)
}

// config is how signatures are made: a random notation would make every one another.
func (k *pgpKey) config() *packet.Config {
	off := false
	return &packet.Config{DefaultHash: digest, SigningKeyId: k.id, Time: func() time.Time { return k.time },
		NonDeterministicSignaturesViaNotation: &off}
}

// reason is why a command failed, if it did.
func (k *pgpKey) reason(err error) error {
	if k.outer != nil && k.outer.err != nil {
		err, k.outer.err = k.outer.err, nil
	}
	return err
}

// readRing reads keys, armored or not.
func readRing(b []byte) (openpgp.EntityList, error) {
	read := openpgp.ReadKeyRing
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("-----BEGIN PGP")) {
		read = openpgp.ReadArmoredKeyRing
	}
	ring, err := read(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if len(ring) == 0 {
		return nil, fmt.Errorf("%w: there is no OpenPGP key in it", ErrKey)
	}
	return ring, nil
}

// owner is a key's name for people.
func owner(e *openpgp.Entity) string {
	if id := e.PrimaryIdentity(); id != nil && id.Name != "" {
		return id.Name
	}
	return fmt.Sprintf("%X", e.PrimaryKey.Fingerprint)
}
