package signed

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Roles, in the order in which people read them.
const (
	Root      = metadata.ROOT
	Targets   = metadata.TARGETS
	Snapshot  = metadata.SNAPSHOT
	Timestamp = metadata.TIMESTAMP
)

// Roles are all of them.
func Roles() []string { return []string{Root, Targets, Snapshot, Timestamp} }

// Faults of roots and roles.
var (
	ErrRoot = fault.New(fault.Verify, "not a usable root of trust",
		"take root.json from the folder of keys that made it, or from the region's trust/ folder")
	ErrUnsigned = fault.New(fault.Refused, "it is not signed by enough keys yet",
		"ssm-setup keys sign FILE adds one signature on each machine that has a key")
	ErrRole = fault.New(fault.Usage, "the role cannot be changed in this way",
		"the roles are root, targets, snapshot and timestamp; ssm-setup keys show lists their keys")
)

// signedTime is the member that says when a role was signed.
const signedTime = "x-ssm-signed"

// RootFile is one root: which keys sign which role.
type RootFile struct {
	m *metadata.Metadata[metadata.RootType]
}

// Role is who signs a role: any threshold of the keys.
type Role struct {
	Name      string
	Keys      []string // ids
	Threshold int
}

// ParseRoot reads a root. Its signatures are another matter: [RootFile.Follows].
func ParseRoot(b []byte) (*RootFile, error) {
	if len(b) > 512<<10 {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrRoot, len(b))
	}
	m, err := metadata.Root().FromBytes(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRoot, err)
	}
	r := &RootFile{m}
	if r.Version() < 1 || !m.Signed.ConsistentSnapshot {
		return nil, fmt.Errorf("%w: version %d, consistent snapshots %v", ErrRoot, r.Version(), m.Signed.ConsistentSnapshot)
	}
	for _, role := range Roles() {
		of := m.Signed.Roles[role]
		if of == nil || of.Threshold < 1 || len(of.KeyIDs) < of.Threshold {
			return nil, fmt.Errorf("%w: too few keys for the role %s", ErrRoot, role)
		}
		for _, id := range of.KeyIDs {
			if m.Signed.Keys[id] == nil {
				return nil, fmt.Errorf("%w: key %s of the role %s is not in it", ErrRoot, Short(id), role)
			}
			public, err := m.Signed.Keys[id].ToPublicKey()
			if k, is := public.(ed25519.PublicKey); err == nil && is && len(k) != ed25519.PublicKeySize { // verifying by it is a panic
				return nil, fmt.Errorf("%w: key %s of the role %s has %d bytes", ErrRoot, Short(id), role, len(k))
			}
		}
	}
	return r, nil
}

// NewRoot is the first root: the keys of each role, and how many of them must sign; a threshold that is not given is 1.
func NewRoot(keys map[string][]crypto.PublicKey, thresholds map[string]int, expires time.Time) (*RootFile, error) {
	m := metadata.Root(whole(expires))
	r := &RootFile{m}
	for _, role := range Roles() {
		for _, public := range keys[role] {
			if err := r.Add(role, public); err != nil {
				return nil, err
			}
		}
		if err := r.SetThreshold(role, max(thresholds[role], 1)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// Short is a key's id for people.
func Short(id string) string { return id[:min(len(id), 12)] }

// Version is the root's number, from 1.
func (r *RootFile) Version() int64 { return r.m.Signed.Version }

// Expires is when hosts stop to update by it.
func (r *RootFile) Expires() time.Time { return r.m.Signed.Expires }

// Role is who signs a role.
func (r *RootFile) Role(name string) Role {
	of := r.m.Signed.Roles[name]
	if of == nil {
		return Role{Name: name}
	}
	return Role{name, slices.Clone(of.KeyIDs), of.Threshold}
}

// Public is a key of the root.
func (r *RootFile) Public(id string) (crypto.PublicKey, error) {
	k := r.m.Signed.Keys[id]
	if k == nil {
		return nil, fmt.Errorf("%w: key %s is not in it", ErrRoot, Short(id))
	}
	return k.ToPublicKey()
}

// Bytes is the file.
func (r *RootFile) Bytes() ([]byte, error) { return r.m.ToBytes(true) }

// Next is the root after this one, without signatures.
func (r *RootFile) Next(expires time.Time) (*RootFile, error) {
	b, err := r.Bytes()
	if err != nil {
		return nil, err
	}
	m, err := metadata.Root().FromBytes(b)
	if err != nil {
		return nil, err
	}
	m.Signed.Version++
	m.Signed.Expires = whole(expires)
	m.ClearSignatures()
	return &RootFile{m}, nil
}

// Add gives a role one more key.
func (r *RootFile) Add(role string, public crypto.PublicKey) error {
	if !slices.Contains(Roles(), role) {
		return fmt.Errorf("%w: there is no role %q", ErrRole, role)
	}
	k, err := keyOf(public)
	if err != nil {
		return err
	}
	r.m.ClearSignatures()
	return r.m.Signed.AddKey(k, role)
}

// Remove takes a key from a role. One without which the role could not reach its threshold is [ErrRole].
func (r *RootFile) Remove(role, id string) error {
	of := r.m.Signed.Roles[role]
	switch {
	case of == nil || !slices.Contains(of.KeyIDs, id):
		return fmt.Errorf("%w: key %s does not sign %s", ErrRole, Short(id), role)
	case len(of.KeyIDs)-1 < of.Threshold:
		return fmt.Errorf("%w: %d of %d keys must sign %s: add another one first", ErrRole, of.Threshold, len(of.KeyIDs), role)
	}
	r.m.ClearSignatures()
	return r.m.Signed.RevokeKey(id, role)
}

// SetThreshold says how many keys of a role must sign.
func (r *RootFile) SetThreshold(role string, n int) error {
	of := r.m.Signed.Roles[role]
	if of == nil || n < 1 || n > len(of.KeyIDs) {
		return fmt.Errorf("%w: %d of %d keys for the role %s", ErrRole, n, len(r.Role(role).Keys), role)
	}
	r.m.ClearSignatures()
	of.Threshold = n
	return nil
}

// message is what signatures of the root are over.
func (r *RootFile) message() ([]byte, error) { return cjson.EncodeCanonical(r.m.Signed) }

// signers are the ids of those keys of a root's role whose signature is good.
func (r *RootFile) signers(by *RootFile) ([]string, error) {
	message, err := r.message()
	if err != nil {
		return nil, err
	}
	var good []string
	for _, id := range by.Role(Root).Keys {
		public, err := by.Public(id)
		if err != nil {
			continue
		}
		for _, s := range r.m.Signatures {
			if s.KeyID == id && Matches(public, message, s.Signature) && !slices.Contains(good, id) {
				good = append(good, id)
			}
		}
	}
	return good, nil
}

// Wanting is whose signatures a root still wants.
type Wanting struct {
	Root int64    // the number of the root whose keys are meant: its own, or that before it
	More int      // how many more must sign
	Of   []string // ids of keys that can
}

// Missing tells whose signatures are missing: of its own keys, and of those of the root before it. Nil before is for the first one.
func (r *RootFile) Missing(before *RootFile) (list []Wanting, err error) {
	for _, by := range []*RootFile{before, r} {
		if by == nil {
			continue
		}
		good, err := r.signers(by)
		if err != nil {
			return nil, err
		}
		role := by.Role(Root)
		if more := role.Threshold - len(good); more > 0 {
			list = append(list, Wanting{by.Version(), more, slices.DeleteFunc(role.Keys, func(id string) bool { return slices.Contains(good, id) })})
		}
	}
	return list, nil
}

// Follows tells what is wrong with a root as the next of another, or as the first one where before is nil. [ErrUnsigned] while signatures
// are missing.
func (r *RootFile) Follows(before *RootFile) error {
	if before != nil && r.Version() != before.Version()+1 {
		return fmt.Errorf("%w: its number is %d, and %d was expected", ErrRoot, r.Version(), before.Version()+1)
	}
	missing, err := r.Missing(before)
	if err != nil {
		return err
	}
	for _, w := range missing {
		return fmt.Errorf("%w: %d more of the keys of root %d", ErrUnsigned, w.More, w.Root)
	}
	return nil
}

// Sign adds one signature. False where the key signs no root, neither this one nor that before it, or has signed it.
func (r *RootFile) Sign(ctx context.Context, s Signer, before *RootFile) (bool, error) {
	id, err := IDOf(s.Public())
	if err != nil {
		return false, err
	}
	mine := slices.Contains(r.Role(Root).Keys, id)
	if before != nil && slices.Contains(before.Role(Root).Keys, id) {
		mine = true
	}
	message, err := r.message()
	if err != nil || !mine {
		return false, err
	}
	for _, have := range r.m.Signatures {
		if have.KeyID == id && Matches(s.Public(), message, have.Signature) {
			return false, nil
		}
	}
	sig, err := signature(ctx, s, id, message)
	if err != nil {
		return false, err
	}
	r.m.Signatures = append(slices.DeleteFunc(r.m.Signatures, func(x metadata.Signature) bool { return x.KeyID == id }), sig)
	return true, nil
}

// signature signs and checks what came back: a command may print anything.
func signature(ctx context.Context, s Signer, id string, message []byte) (metadata.Signature, error) {
	sig, err := s.Sign(ctx, message)
	if err != nil {
		return metadata.Signature{}, err
	}
	if !Matches(s.Public(), message, sig) {
		return metadata.Signature{}, fmt.Errorf("%w: what came back is no signature by key %s", ErrCommand, Short(id))
	}
	return metadata.Signature{KeyID: id, Signature: sig}, nil
}

// Same tells whether two roots say the same; signatures do not matter.
func (r *RootFile) Same(other *RootFile) bool {
	a, err := r.message()
	b, err2 := other.message()
	return errors.Join(err, err2) == nil && string(a) == string(b)
}

// Join takes over signatures that another copy of the same root has.
func (r *RootFile) Join(other *RootFile) {
	for _, s := range other.m.Signatures {
		if !slices.ContainsFunc(r.m.Signatures, func(x metadata.Signature) bool { return x.KeyID == s.KeyID }) {
			r.m.Signatures = append(r.m.Signatures, s)
		}
	}
}
