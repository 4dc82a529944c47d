package signing

import (
	"context"

	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/signed"
)

// Lives are until when the signatures of a region count; none where it signs nothing.
func Lives(ctx context.Context, at target.Target, k *Keys) ([]signed.Life, error) {
	tree, _, err := (&Region{To: at, Keys: k}).tree(ctx)
	if err != nil || tree == nil {
		return nil, err
	}
	return tree.Lives(), nil
}

// Refresh puts back what these keys signed and is gone, signs anew what comes to its end, and publishes new roots; nothing where nothing is
// due. all signs everything. A place that signs nothing yet is signed for the first time.
func (r *Region) Refresh(ctx context.Context, all bool) error {
	if !r.Keys.Anew {
		if err := r.restore(ctx); err != nil {
			return err
		}
	}
	there, err := isSigned(ctx, r.To)
	if err == nil && (!there || r.Keys.Anew) {
		return r.Sign(ctx, nil, func(*State) error { return nil })
	}
	if err != nil {
		return err
	}
	skip := int64(0)
	return target.Retry(ctx, func() error {
		tree, when, err := r.tree(ctx)
		if err != nil || r.DryRun {
			return err
		}
		err = r.writeTree(ctx, tree, when, signed.Change{All: all, Skip: skip, Days: r.Keys.Days, Now: r.Now()})
		skip++
		return err
	})
}
