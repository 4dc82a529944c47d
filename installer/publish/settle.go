package publish

import "context"

// settle has a folder's disk keep what was written, and what a run before this one wrote and could not have kept: VERSION may be in its
// place already, and then nothing else would do it. A bucket keeps what it has answered.
func (p *writing) settle() error {
	if p.o.DryRun {
		return nil
	}
	for _, at := range []Target{p.to, p.o.Global} {
		if k, ok := at.(kept); ok {
			if d, ok := k.Target.(*folder); ok {
				if err := d.syncFolders(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// sweep removes from the buckets what killed publications left there in parts.
func (p *writing) sweep(ctx context.Context) {
	if p.o.DryRun {
		return
	}
	for _, at := range []Target{p.to, p.o.Global} {
		if b, ok := bare(at).(*store); ok {
			b.uploads().Sweep(ctx)
		}
	}
}

// probe finds out whether a bucket keeps conditions, before something is written that rests on them, and tells if it does not.
func (p *writing) probe(ctx context.Context) error {
	if p.o.DryRun {
		return nil
	}
	for _, at := range []Target{p.to, p.o.Global} {
		k, ok := at.(kept)
		if !ok {
			continue
		}
		b, ok := k.Target.(*store)
		if !ok {
			continue
		}
		if err := b.probe(ctx); err != nil {
			return err
		}
		if b.heedless && p.o.Warn != nil {
			p.o.Warn(b.String() + " ignores conditional writes: it is safe for one publisher at a time only")
		}
	}
	return nil
}
