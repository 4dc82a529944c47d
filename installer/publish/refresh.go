package publish

import (
	"context"
	"errors"

	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/signed"
)

// Lives are until when the signatures of a region count; none where it signs nothing.
func Lives(ctx context.Context, at target.Target, k *Keys) ([]signed.Life, error) {
	tree, _, err := newWriting(at, Options{Trust: k}).tree(ctx)
	if err != nil || tree == nil {
		return nil, err
	}
	return tree.Lives(), nil
}

// Refresh signs anew what comes to its end, and publishes new roots; nothing where nothing is due. all signs everything.
func Refresh(ctx context.Context, to target.Target, all bool, o Options) (Result, error) {
	p := newWriting(to, o)
	there, err := isSigned(ctx, to)
	if err == nil && (!there || o.Trust.Anew) { // what is there is signed for the first time
		if err := p.probe(ctx); err != nil {
			return p.result, err
		}
		return p.result, errors.Join(p.sign(ctx, nil, func(*state) error { return nil }), p.settle())
	}
	if err == nil && !o.DryRun {
		err = p.probe(ctx)
	}
	if err != nil {
		return p.result, err
	}
	skip := int64(0)
	err = retryChange(ctx, func() error {
		tree, when, err := p.tree(ctx)
		if err != nil || o.DryRun {
			return err
		}
		err = p.writeTree(ctx, tree, when, signed.Change{All: all, Skip: skip, Days: o.Trust.Days, Now: p.o.Now()})
		skip++
		return err
	})
	if err != nil {
		return p.result, err
	}
	return p.result, p.settle()
}
