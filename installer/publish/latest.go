package publish

import (
	"context"
	"errors"
	"fmt"

	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
)

// latest is what a region, or the global bucket, shows first: latest/.
type latest struct {
	before manifests.Version // latest/VERSION
	when   target.When       // it is still the one that was read
	newest bool              // the version asked about is no older
}

// readLatest reads which version a place calls its latest.
func readLatest(ctx context.Context, at target.Target, v manifests.Version) (f latest, err error) {
	text, tag, err := target.ReadLimited(ctx, at, regions.LatestVersionKey, manifests.MaxVersionFile+1)
	f.when = target.When{Tag: tag}
	if errors.Is(err, target.ErrAbsent) {
		f.when, err = target.When{Absent: true}, nil
	}
	if err != nil {
		return f, fmt.Errorf("%s: %w", regions.LatestVersionKey, err)
	}
	// A damaged VERSION is no reason to leave the region with it.
	f.before, _ = manifests.ParseVersionFile(text)
	f.newest = !v.Less(f.before)
	return f, nil
}

// latest moves latest/ of the region: copies, feed, and VERSION last.
func (p *publication) latest(ctx context.Context) (err error) {
	p.result.Latest, err = p.promoteLatest(ctx, p.to)
	return err
}

// global is the copy of latest/ in the bucket that all regions share. It can be ahead of this region.
func (p *publication) global(ctx context.Context) error {
	if p.o.Global == nil {
		return nil
	}
	_, err := p.promoteLatest(ctx, p.o.Global)
	return err
}

// promoteLatest makes the release what a place serves as latest, unless a newer one is there, or comes meanwhile: then theirs stays.
func (p *publication) promoteLatest(ctx context.Context, at target.Target) (leads bool, err error) {
	err = target.Retry(ctx, func() error {
		f, err := readLatest(ctx, at, p.r.Version)
		if leads = p.mayBeLatest(f); err != nil {
			return err
		}
		if leads {
			err = overtaken(p.copies(ctx, at))
		} else {
			err = p.restore(ctx, at, f.before)
		}
		if !leads && at == p.to {
			p.result.Before = f.before // it may have come meanwhile
		}
		if err != nil {
			return err
		}
		if at == p.to {
			if err := p.feed(ctx); err != nil {
				return err
			}
		}
		if !leads {
			return nil
		}
		return p.writeSmall(ctx, at, regions.LatestVersionKey, []byte(p.r.Version.String()+"\n"), f.when)
	})
	return leads, err
}

// overtaken: a copy that does not come back as it was written may be that of another publication, so it is tried again.
func overtaken(err error) error {
	if errors.Is(err, target.ErrDiffers) {
		return fmt.Errorf("%w: %w", target.ErrChanged, err)
	}
	return err
}

// copies writes latest/<folder>/….
func (p *publication) copies(ctx context.Context, at target.Target) error {
	var all []placed
	for _, f := range append(p.r.Files[:len(p.r.Files):len(p.r.Files)], p.r.Documents...) {
		for _, key := range f.Latest {
			all = append(all, placed{File: f, key: key})
		}
	}
	return p.spread(ctx, at, all)
}
