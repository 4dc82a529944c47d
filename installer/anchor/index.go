package anchor

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// fileIndex is the index of the region as it was last verified, beside the root.
const fileIndex = "index.json"

// Index reads what a region says about its releases beyond the manifest, and whether a root vouches for it: only then withdrawals and the
// oldest version allowed count. Nil where the region has none. One that was verified is kept for [Oldest].
func Index(ctx context.Context, l installer.Layout, c *bucket.Client) (x *manifests.Index, verified bool, err error) {
	x, verified, b, err := readIndex(ctx, c)
	if err != nil || !verified {
		return x, verified, err
	}
	if pinned, err := Place(l).Pinned(); pinned && err == nil {
		_ = host.WriteFile(filepath.Join(Place(l).Dir, fileIndex), b, 0o644) // without it the bound counts where a network is, only
	}
	return x, true, nil
}

// LookIndex is as [Index], and keeps nothing.
func LookIndex(ctx context.Context, c *bucket.Client) (x *manifests.Index, verified bool, err error) {
	x, verified, _, err = readIndex(ctx, c)
	return x, verified, err
}

func readIndex(ctx context.Context, c *bucket.Client) (x *manifests.Index, verified bool, b []byte, err error) {
	b, err = c.Small(ctx, regions.IndexKey, manifests.MaxIndex)
	t, unsigned := c.Verified(ctx)
	if unsigned != nil {
		return nil, false, nil, unsigned
	}
	none := errors.Is(err, bucket.ErrMissing) || errors.Is(err, bucket.ErrDenied) // a bucket that may not be listed denies what is missing
	if none && (t.Root == 0 || errors.Is(err, bucket.ErrNotSigned)) {             // one that is signed, and left out, is an error
		return nil, false, nil, nil
	}
	if err != nil {
		return nil, false, nil, err
	}
	if x, err = manifests.ParseIndex(b); err != nil {
		return nil, false, nil, err
	}
	return x, t.Root != 0, b, nil
}

// Oldest is the oldest version that the last verified index allows, without a network; zero: any, or none is known.
func Oldest(l installer.Layout) manifests.Version {
	place := Place(l)
	if pinned, err := place.Pinned(); err != nil || !pinned {
		return manifests.Version{}
	}
	state, err := place.Load()
	if err != nil {
		return manifests.Version{}
	}
	b, err := place.Read(fileIndex, manifests.MaxIndex)
	if err != nil || !state.Lists(regions.IndexKey, b) {
		return manifests.Version{}
	}
	x, err := manifests.ParseIndex(b)
	if err != nil {
		return manifests.Version{}
	}
	return x.Floor
}
