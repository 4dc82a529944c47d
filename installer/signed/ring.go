package signed

import (
	"fmt"
	"time"
)

// Days is how long each role counts from its signing, in days.
type Days map[string]int

// DefaultDays are the lives of the roles: a root is signed once a year by hand; targets at every release and once in half a year
// without one; the two others by a scheduled ssm-setup keys refresh. A timestamp is short, because for so long a stolen copy of the bucket
// can hold hosts back.
func DefaultDays() Days { return Days{Root: 365, Targets: 180, Snapshot: 30, Timestamp: 7} }

// Of is a role's, the default where it is not set.
func (d Days) Of(role string) int {
	if n := d[role]; n > 0 {
		return n
	}
	return DefaultDays()[role]
}

func (d Days) life(role string) time.Duration { return time.Duration(d.Of(role)) * 24 * time.Hour }

// Until is when something that is signed now ends.
func (d Days) Until(role string, now time.Time) time.Time { return whole(now).Add(d.life(role)) }

// Ring is the keys that are at hand, by id.
type Ring map[string]Signer

// Put adds a signer.
func (r Ring) Put(s Signer) error {
	id, err := IDOf(s.Public())
	if err == nil {
		r[id] = s
	}
	return err
}

// For is who of the ring signs a role; [ErrKeys] where they do not reach its threshold.
func (r Ring) For(root *RootFile, role string) (Ring, error) {
	of, have := root.Role(role), r.some(root, role)
	if len(have) < of.Threshold {
		return nil, fmt.Errorf("%w: %s: %d of %d keys must sign, %d here", ErrKeys, role, of.Threshold, len(of.Keys), len(have))
	}
	return have, nil
}

// some are the keys of a role that are at hand.
func (r Ring) some(root *RootFile, role string) Ring {
	have := Ring{}
	for _, id := range root.Role(role).Keys {
		if s := r[id]; s != nil {
			have[id] = s
		}
	}
	return have
}

// Reaches tells whether the ring can sign a role.
func (r Ring) Reaches(root *RootFile, role string) bool {
	_, err := r.For(root, role)
	return err == nil
}
