// Package signing has a region sign what it serves to hosts with a root of trust, through its publication (installer/publish).
//
// Parties: [Keys] come from a folder of keys (installer/signed), which makes the signed files; a [Region] is the place that is written,
// with what its publication lends it.
//
// Files it owns, in the bucket:
//
//	<sha256>.ssm-agent-manifest.json, …      the small files that change ([SmallKeys]), under names that never do: what hosts read
//	trust/<N>.targets.json, <N>.snapshot.json, <N>.root.json, timestamp.json
//
// and through [signed.Memory], beside the keys: what was signed last at each place.
//
// What must always be true:
//   - what hosts are served changes by one write, that of trust/timestamp.json over the one that was read: before it the old files are
//     there whole, and a publication that another one overtook reads what that signed and adds its own to it;
//   - what is signed is what was signed before and what this run changes, never what plain files in the bucket say: those that differ
//     are put back;
//   - what is to be signed is noted beside the keys before the timestamp is written. A place whose signed files are gone, or older than
//     noted, is not signed over: publishing is refused, and [Region.Refresh] puts the noted files back. So neither an accident nor an
//     attacker who may write to the bucket makes a region begin anew;
//   - files whose time is over go, those of the last three signings and of the last day never: a slow host that is in the middle of a look
//     (at most five minutes, and caches before the bucket) finds all that its timestamp names. trust/replaced.json, which hosts do
//     not read, keeps account; nothing but old signed files and copies of small files is removed by it, whatever it says.
package signing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/signed"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Faults that callers test for.
var (
	ErrTrusted = fault.New(fault.Refused, "the region is signed for hosts with a root of trust, and there are no keys to sign it anew",
		"give the folder of keys with --keys; nothing was written")
	ErrLost = fault.New(fault.Refused, "these keys signed this region, and what they signed there is gone, or an older copy is in its place",
		"ssm-setup keys refresh puts back what the folder of keys remembers; to begin anew, keys refresh --anew signs what its plain files "+
			"say; nothing was written")
)

// Keys sign what hosts with a root of trust read (installer/signed).
type Keys struct {
	Roots  []*signed.RootFile // all of them, in ascending order
	Ring   signed.Ring        // of the newest root, and where they are at hand those of the roots before
	Days   signed.Days
	Anew   bool           // believe the plain files, though what is signed there cannot be verified
	Memory *signed.Memory // of what was signed where; nil: nothing is remembered
}

// Trusted is what a region signed in this run.
type Trusted struct {
	Root int64    `json:"root"` // the number of the root
	Keys []string `json:"wrote"`
}

// Region is a place that is signed, or is to be.
type Region struct {
	To        target.Target
	Keys      *Keys // nil: there are none
	Now       func() time.Time
	URIFormat string // template for a region that has no manifest yet
	Scratch   string // folder for what is unpacked to measure it; empty: the system's
	DryRun    bool

	Write        func(ctx context.Context, key string, content []byte, when target.When) error // a small object, unless it is there so
	Repositories func(ctx context.Context, m *manifests.Manifest) error                        // brings those of apt and yum in line
	Warn         func(text string)                                                             // may be nil

	// Expect notes what hosts will read from now on, before it is written; Drop removes what they have had a day to forget, where may agrees.
	Expect func(ctx context.Context, keys []string) error
	Drop   func(ctx context.Context, may func(key string) bool) error

	Signed *Trusted // what was signed; nil: nothing
}

// isSigned tells whether hosts with a root are served from a place.
func isSigned(ctx context.Context, at target.Target) (bool, error) {
	for _, key := range []string{signed.TimestampKey, signed.RootKey(1)} {
		_, err := at.Stat(ctx, key)
		if err == nil {
			return true, nil
		}
		if !target.IsAbsent(err) {
			return false, fmt.Errorf("%s: %w", key, err)
		}
	}
	return false, nil
}

// Check refuses to change what a region has signed without its keys, with too few of them, or where what they signed is gone; there tells
// whether something is signed.
func (r *Region) Check(ctx context.Context) (there bool, err error) {
	if r.Keys != nil {
		root := r.Keys.Roots[len(r.Keys.Roots)-1]
		for _, role := range []string{signed.Targets, signed.Snapshot, signed.Timestamp} {
			if _, err := r.Keys.Ring.For(root, role); err != nil {
				return false, err
			}
		}
	}
	if there, err = isSigned(ctx, r.To); err != nil {
		return there, err
	}
	switch {
	case there && r.Keys == nil:
		return there, fmt.Errorf("%w: %s", ErrTrusted, r.To)
	case r.Keys == nil:
		return there, nil
	case !there:
		return there, r.notLost(nil)
	}
	tree, _, err := r.tree(ctx)
	if err == nil {
		err = r.notLost(tree)
	}
	return there, err
}

// remembered is what these keys signed at this place last; nil: nothing is remembered.
func (r *Region) remembered() (*signed.Record, error) {
	if r.Keys.Memory == nil {
		return nil, nil
	}
	return r.Keys.Memory.Of(target.Address(r.To))
}

// notLost is [ErrLost] where a place has less than these keys signed there; tree is nil for nothing.
func (r *Region) notLost(tree *signed.Tree) error {
	was, err := r.remembered()
	if err != nil || was == nil || r.Keys.Anew {
		return err
	}
	if tree == nil {
		return fmt.Errorf("%w: %s has no %s, and number %d was signed on %s", ErrLost, r.To, signed.TimestampKey, was.Version(signed.Timestamp),
			was.At.Format(time.DateOnly))
	}
	for _, l := range tree.Lives() {
		if n := was.Version(l.Role); l.Version < n {
			return fmt.Errorf("%w: %s has %s %d, and number %d was signed on %s", ErrLost, r.To, l.Role, l.Version, n, was.At.Format(time.DateOnly))
		}
	}
	return nil
}

// note remembers what is about to be signed, or with done that it is. A folder of keys that cannot be written is told, and no hindrance.
func (r *Region) note(ctx context.Context, tree *signed.Tree, done bool) {
	if r.Keys.Memory == nil {
		return
	}
	err := r.Keys.Memory.Note(ctx, target.Address(r.To), tree, r.Now(), done)
	if err != nil && r.Warn != nil {
		r.Warn(fmt.Sprintf("what was signed cannot be remembered beside the keys: %v", err))
	}
}

// restore puts back what these keys signed here last: targets and snapshot where they are missing, the timestamp over an older one, and the
// roots. The small files are put back from their plain copies when they are read next. What is newer than remembered stays:
// then another folder of keys signed it, and this one is behind.
func (r *Region) restore(ctx context.Context) error {
	was, err := r.remembered()
	if err != nil || was == nil {
		return err
	}
	tree, when, stamp, err := r.read(ctx)
	switch {
	case err != nil && !errors.Is(err, signed.ErrTree):
		return err
	case err == nil && r.notLost(tree) == nil, signed.Numbers(stamp, nil)[signed.Timestamp] > was.Version(signed.Timestamp), r.DryRun:
		return nil
	}
	newest := r.Keys.Roots[len(r.Keys.Roots)-1].Version()
	if _, err := r.To.Stat(ctx, signed.RootKey(newest+1)); !target.IsAbsent(err) {
		return err
	}
	for _, o := range was.Objects() {
		condition := target.When{}
		if o.Key == signed.TimestampKey {
			condition = when
		}
		if err := r.Write(ctx, o.Key, o.Bytes, condition); err != nil {
			return err
		}
	}
	if r.Warn != nil {
		r.Warn(fmt.Sprintf("%s: what these keys signed on %s was gone, or an older copy in its place; it is put back", r.To,
			was.At.Format(time.DateOnly)))
	}
	return r.writeRoots(ctx, &Trusted{Root: newest})
}
