package publish

import (
	"context"
	"errors"
	"fmt"

	"github.com/ssm-setup/ssm-setup/installer/publish/signing"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// ChangeIndex changes what a region's index says, over the one that was read. The manifest must list the versions named, else
// [ErrNotServed]; then nothing was written.
func ChangeIndex(ctx context.Context, to target.Target, o Options, change func(*manifests.Index) error,
	listed ...manifests.Version) (Result, error) {
	p := newWriting(to, o)
	m, _, err := readManifest(ctx, to)
	if err != nil {
		return p.result, err
	}
	for _, v := range listed {
		if m == nil || len(filesOf(m, v)) == 0 {
			return p.result, fmt.Errorf("%w: the manifest in %s does not list %s", ErrNotServed, to, v)
		}
		p.result.Version = v
	}
	if err := p.checkTrusted(ctx); err != nil {
		return p.result, err
	}
	if err := p.probe(ctx); err != nil {
		return p.result, err
	}
	if err := p.heal(ctx); err != nil {
		return p.result, err
	}
	if err := p.changeIndex(ctx, change); err != nil {
		return p.result, err
	}
	if err := p.sign(ctx, nil, func(s *signing.State) error { return change(s.Indexed()) }); err != nil {
		return p.result, err
	}
	return p.result, p.settle()
}

// changeIndex reads the region's index, lets change work on it, and writes it over the one that was read.
func (p *writing) changeIndex(ctx context.Context, change func(*manifests.Index) error) error {
	return target.Retry(ctx, func() error {
		content, tag, err := target.ReadLimited(ctx, p.to, regions.IndexKey, manifests.MaxIndex+1)
		x, when := manifests.NewIndex(), target.When{Tag: tag}
		switch {
		case errors.Is(err, target.ErrAbsent):
			when, err = target.When{Absent: true}, nil
		case err == nil:
			x, err = manifests.ParseIndex(content)
		}
		if err == nil {
			err = change(x)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", regions.IndexKey, err)
		}
		return p.writeSmall(ctx, p.to, regions.IndexKey, x.Bytes(), when)
	})
}

// index notes that the release was published, and for which share of hosts.
func (p *publication) index(ctx context.Context) error {
	return p.changeIndex(ctx, p.mark)
}

// mark is what the index says of the release.
func (p *publication) mark(x *manifests.Index) error {
	x.Publish(p.r.Version, p.at)
	if p.o.Percent != nil {
		x.SetShare(p.r.Version, *p.o.Percent)
	}
	return nil
}

// copyMarks has the mirror say of its versions what the region says by now.
func (res *Mirrored) copyMarks(ctx context.Context, from *bucket.Client, to target.Target, m *manifests.Manifest, o Options) error {
	if err := res.copyStatuses(ctx, to, m, o); err != nil {
		return err
	}
	return res.copyIndex(ctx, from, to, o)
}

// copyIndex has the mirror's index say what the region's says.
func (res *Mirrored) copyIndex(ctx context.Context, from *bucket.Client, to target.Target, o Options) error {
	content, err := from.Small(ctx, regions.IndexKey, manifests.MaxIndex+1)
	if notThere(err) {
		return nil
	}
	var theirs *manifests.Index
	if err == nil {
		theirs, err = manifests.ParseIndex(content)
	}
	if err != nil {
		return err
	}
	p := newWriting(to, o)
	err = p.changeIndex(ctx, func(x *manifests.Index) error { x.Follow(theirs, res.Versions); return nil })
	res.Steps = append(res.Steps, p.result.Steps...)
	return err
}
