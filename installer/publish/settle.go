package publish

import (
	"context"

	"github.com/ssm-setup/ssm-setup/installer/publish/target"
)

// places are where a publication writes.
func (p *writing) places() []target.Target {
	if p.o.Global == nil {
		return []target.Target{p.to}
	}
	return []target.Target{p.to, p.o.Global}
}

// settle has the disks keep what was written.
func (p *writing) settle() error {
	if p.o.DryRun {
		return nil
	}
	for _, at := range p.places() {
		if err := target.Settle(at); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes from the buckets what killed publications left there in parts.
func (p *writing) sweep(ctx context.Context) {
	if p.o.DryRun {
		return
	}
	for _, at := range p.places() {
		target.Sweep(ctx, at)
	}
}

// probe finds out whether a bucket keeps conditions, before something is written that rests on them, and tells if it does not.
func (p *writing) probe(ctx context.Context) error {
	if p.o.DryRun {
		return nil
	}
	for _, at := range p.places() {
		heedless, err := target.Probe(ctx, at)
		if err != nil {
			return err
		}
		if heedless && p.o.Warn != nil {
			p.o.Warn(at.String() + " ignores conditional writes: it is safe for one publisher at a time only")
		}
	}
	return nil
}
