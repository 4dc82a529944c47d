package trust

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/ground"
)

// Bounds of one look at a region.
const (
	MaxRotations = 256             // new roots in one look
	LookTime     = 5 * time.Minute // for all metadata together
)

// Read reads an object of the bucket, at most limit bytes; [bucket.ErrMissing] or [bucket.ErrDenied] where there is none.
type Read func(ctx context.Context, key string, limit int64) ([]byte, error)

// State is what a host knows of a region: files as they were verified, and the newest signed time. Only Root must be there, and it is
// trusted; the other files are verified again before they count.
type State struct {
	Root, Timestamp, Snapshot, Targets []byte
	Seen                               time.Time

	forgot bool // a new root did away with what was known
}

// look is one look at a region.
type look struct {
	*State
	read      Read
	clock     time.Time
	root      *Root
	timestamp *envelope
	snapshot  *envelope
}

// Refresh brings a state up to date with a region (specification 5.2 to 5.6). Whatever it returns, the state holds what could be verified
// and is to be kept: a replayed file must meet the newest one again.
func (s *State) Refresh(ctx context.Context, read Read, clock time.Time) (*Listing, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, LookTime, fmt.Errorf("%w: the signed files are not here after %s", bucket.ErrSlow, LookTime))
	defer cancel()
	l := &look{State: s, read: read, clock: clock}
	for _, step := range []func(context.Context) error{l.roots, l.stamp, l.snap} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return l.targets(ctx)
}

// now is the later of the clock and the newest signed time.
func (l *look) now() time.Time {
	if l.Seen.After(l.clock) {
		return l.Seen
	}
	return l.clock
}

// saw notes when something verified was signed.
func (l *look) saw(h head) {
	if h.signed.After(l.Seen) {
		l.Seen = h.signed
	}
}

func (l *look) expired(name string, h head) error {
	if now := l.now(); !now.Before(h.expires) {
		return fmt.Errorf("%w: %s ended on %s, it is %s", ErrExpired, name, h.expires.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}

// roots goes from the host's root to the newest, one by one.
func (l *look) roots(ctx context.Context) (err error) {
	if l.root, err = ParseRoot(l.Root); err != nil {
		return err
	}
	l.saw(l.root.file.head)
	for range MaxRotations {
		b, err := l.read(ctx, regions.TrustFolder+strconv.FormatInt(l.root.Version()+1, 10)+".root.json", MaxRoot)
		if missing(err) {
			return l.expired("root", l.root.file.head)
		}
		if err != nil {
			return err
		}
		next, err := l.root.follow(b)
		if err != nil {
			return err
		}
		if !next.sameKeys(l.root, roleTimestamp) || !next.sameKeys(l.root, roleSnapshot) {
			l.Timestamp, l.Snapshot, l.Seen, l.forgot = nil, nil, time.Time{}, true
		}
		l.root, l.Root = next, b
		l.saw(next.file.head)
	}
	return fmt.Errorf("%w: more than %d new roots", ErrFormat, MaxRotations)
}

// missing tells that a bucket has no such object; one that may not be listed denies it.
func missing(err error) bool {
	return errors.Is(err, bucket.ErrMissing) || errors.Is(err, bucket.ErrDenied)
}

// verify reads a file that the keys of a role have signed.
func (l *look) verify(b []byte, name string, limit int64) (*envelope, error) {
	e, err := unwrap(b, name, limit)
	if err == nil {
		err = l.root.check(name, e)
	}
	return e, err
}

// stamp brings the timestamp up to date.
func (l *look) stamp(ctx context.Context) error {
	var had file
	if old, err := l.verify(l.Timestamp, roleTimestamp, MaxTimestamp); err == nil {
		if had, err = old.entry("snapshot.json"); err == nil {
			l.timestamp = old
			l.saw(old.head)
		}
	}
	b, err := l.read(ctx, regions.TrustFolder+"timestamp.json", MaxTimestamp)
	if missing(err) {
		return fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	if err != nil {
		return err
	}
	e, err := l.verify(b, roleTimestamp, MaxTimestamp)
	if err != nil {
		return err
	}
	has, err := e.entry("snapshot.json")
	switch {
	case err != nil:
		return err
	case l.timestamp != nil && e.version < l.timestamp.version:
		return fmt.Errorf("%w: timestamp %d came, %d was seen", ErrReplayed, e.version, l.timestamp.version)
	case l.timestamp != nil && has.version < had.version:
		return fmt.Errorf("%w: timestamp names snapshot %d, %d was seen", ErrReplayed, has.version, had.version)
	case l.timestamp == nil || e.version > l.timestamp.version: // one of the same number is the one that was seen
		l.timestamp, l.Timestamp = e, b
		l.saw(e.head)
	}
	return l.expired(roleTimestamp, l.timestamp.head)
}

// fits checks a file against what the signed file before it says.
func (f file) fits(b []byte, name string) error {
	switch {
	case f.length > 0 && int64(len(b)) != f.length:
		return fmt.Errorf("%w: %s has %d bytes, %d expected", ErrMixed, name, len(b), f.length)
	case f.sum != "" && ground.SHA256(b) != f.sum:
		return fmt.Errorf("%w: the SHA-256 of %s is not the one that was signed", ErrMixed, name)
	}
	return nil
}

// obtain is the file that was signed: the host's own copy where it is that one, else the region's.
func (l *look) obtain(ctx context.Context, own []byte, f file, name string, limit int64) ([]byte, *envelope, error) {
	if own != nil && f.fits(own, name) == nil {
		if e, err := l.verify(own, name, limit); err == nil && e.version == f.version {
			return own, e, nil
		}
	}
	at := name + ".json"
	if l.root.consistent {
		at = strconv.FormatInt(f.version, 10) + "." + at
	}
	if f.length > limit {
		return nil, nil, fmt.Errorf("%w: %s has %d bytes, at most %d accepted", ErrFormat, name, f.length, limit)
	}
	if f.length > 0 {
		limit = f.length
	}
	b, err := l.read(ctx, regions.TrustFolder+at, limit)
	if missing(err) {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := f.fits(b, name); err != nil {
		return nil, nil, err
	}
	e, err := l.verify(b, name, limit)
	if err == nil && e.version != f.version {
		err = fmt.Errorf("%w: %s is number %d, %d expected", ErrMixed, name, e.version, f.version)
	}
	return b, e, err
}

// snap brings the snapshot up to date.
func (l *look) snap(ctx context.Context) error {
	f, err := l.timestamp.entry("snapshot.json")
	if err != nil {
		return err
	}
	b, e, err := l.obtain(ctx, l.Snapshot, f, roleSnapshot, MaxSnapshot)
	if err != nil {
		return err
	}
	if _, err := e.entry("targets.json"); err != nil {
		return err
	}
	if old, err := l.verify(l.Snapshot, roleSnapshot, MaxSnapshot); err == nil {
		if err := goesOn(old, e); err != nil {
			return err
		}
	}
	l.snapshot, l.Snapshot = e, b
	l.saw(e.head)
	return l.expired(roleSnapshot, e.head)
}

// goesOn checks that no file of an earlier snapshot is missing in a later one, or older there.
func goesOn(old, e *envelope) error {
	before, err := member[object](old.signed, "meta")
	if err != nil {
		return err
	}
	for name := range before {
		was, err := old.entry(name)
		if err != nil {
			return err
		}
		is, err := e.entry(name)
		if err != nil {
			return fmt.Errorf("%w: the snapshot names %s no more: %w", ErrReplayed, cut(name), err)
		}
		if is.version < was.version {
			return fmt.Errorf("%w: the snapshot names number %d of %s, %d was seen", ErrReplayed, is.version, cut(name), was.version)
		}
	}
	return nil
}

// targets brings the list up to date.
func (l *look) targets(ctx context.Context) (*Listing, error) {
	f, err := l.snapshot.entry("targets.json")
	if err != nil {
		return nil, err
	}
	b, e, err := l.obtain(ctx, l.Targets, f, roleTargets, MaxTargets)
	if err != nil {
		return nil, err
	}
	l.saw(e.head)
	if err := l.expired(roleTargets, e.head); err != nil {
		return nil, err
	}
	files, err := readTargets(e)
	if err != nil {
		return nil, fmt.Errorf("targets: %w", err)
	}
	l.Targets = b
	return &Listing{files: files, consistent: l.root.consistent,
		Facts: l.facts(map[string]*envelope{roleTimestamp: l.timestamp, roleSnapshot: l.snapshot, roleTargets: e})}, nil
}
