package trust

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/ground"
)

// Root is a root of trust: the keys of each role, and how many of them have to sign.
type Root struct {
	raw        []byte
	file       *envelope
	keys       map[string]*key // by id; nil for one of an unknown kind
	roles      map[string]role
	consistent bool // files of metadata have their version in their names, others their hash
}

type role struct {
	ids       []string
	threshold int64
}

// ParseRoot reads a root and checks that its own keys signed it. Whether it may be trusted is for the caller to know. That it has
// expired is no error: it may be followed by a newer one.
func ParseRoot(b []byte) (*Root, error) {
	r, err := readRoot(b)
	if err == nil {
		err = r.check(roleRoot, r.file)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRoot, err)
	}
	return r, nil
}

// Version is the root's number.
func (r *Root) Version() int64 { return r.file.version }

// Expires is when it ends.
func (r *Root) Expires() time.Time { return r.file.expires }

// SHA256 is the hash of the root's file, in lower-case hex: what people compare.
func (r *Root) SHA256() string { return ground.SHA256(r.raw) }

// Bytes is the root's file.
func (r *Root) Bytes() []byte { return r.raw }

func readRoot(b []byte) (*Root, error) {
	e, err := unwrap(b, roleRoot, MaxRoot)
	if err != nil {
		return nil, err
	}
	r := &Root{raw: b, file: e, keys: map[string]*key{}, roles: map[string]role{}}
	if r.consistent, err = member[bool](e.signed, "consistent_snapshot"); err != nil {
		return nil, err
	}
	keys, err := member[object](e.signed, "keys")
	if err != nil {
		return nil, err
	}
	if len(keys) > maxKeys {
		return nil, fmt.Errorf("%w: it has %d keys, at most %d accepted", ErrFormat, len(keys), maxKeys)
	}
	for id := range keys {
		o, err := member[object](keys, id)
		if err != nil {
			return nil, err
		}
		if r.keys[id], err = parseKey(o); err != nil {
			return nil, fmt.Errorf("key %q: %w", cut(id), err)
		}
	}
	roles, err := member[object](e.signed, "roles")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{roleRoot, roleTimestamp, roleSnapshot, roleTargets} {
		if r.roles[name], err = readRole(roles, name); err != nil {
			return nil, fmt.Errorf("role %s: %w", name, err)
		}
	}
	return r, nil
}

func readRole(roles object, name string) (role, error) {
	o, err := member[object](roles, name)
	if err != nil {
		return role{}, err
	}
	var r role
	if r.threshold, err = number(o, "threshold", 1); err != nil {
		return r, err
	}
	list, err := member[[]any](o, "keyids")
	if err != nil {
		return r, err
	}
	if len(list) > maxKeys {
		return r, fmt.Errorf("%w: it has %d keys, at most %d accepted", ErrFormat, len(list), maxKeys)
	}
	for _, item := range list {
		id, ok := item.(string)
		if !ok {
			return r, fmt.Errorf("%w: a key id is not a text", ErrFormat)
		}
		r.ids = append(r.ids, id)
	}
	return r, nil
}

// check counts the keys of a role that signed a file. Each counts once, by what it is and not by what it is called.
func (r *Root) check(name string, e *envelope) error {
	of, signers := r.roles[name], map[string]bool{}
	for _, id := range of.ids {
		sig, signed := e.signatures[id]
		if k := r.keys[id]; k != nil && signed && !signers[k.mark] && k.verify(e.message, sig) {
			signers[k.mark] = true
		}
	}
	if int64(len(signers)) < of.threshold {
		return fmt.Errorf("%w: %s has %d of %d signatures", ErrSignature, name, len(signers), of.threshold)
	}
	return nil
}

// follow is the root that comes after r.
func (r *Root) follow(b []byte) (*Root, error) {
	next, err := readRoot(b)
	if err != nil {
		return nil, err
	}
	if err := r.check(roleRoot, next.file); err != nil {
		return nil, fmt.Errorf("root %d, by the keys of root %d: %w", next.Version(), r.Version(), err)
	}
	if next.Version() != r.Version()+1 {
		return nil, fmt.Errorf("%w: root %d came where %d was asked for", ErrReplayed, next.Version(), r.Version()+1)
	}
	return next, next.check(roleRoot, next.file)
}

// sameKeys tells whether a role has the same keys in another root, by what they are.
func (r *Root) sameKeys(other *Root, name string) bool {
	return slices.Equal(r.marks(name), other.marks(name))
}

func (r *Root) marks(name string) []string {
	set := map[string]bool{}
	for _, id := range r.roles[name].ids {
		if k := r.keys[id]; k != nil {
			set[k.mark] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}
