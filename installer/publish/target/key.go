package target

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrKey says that something names a place outside of the bucket or folder, which no region does.
var ErrKey = fault.New(fault.Verify, "it names a place outside of the bucket",
	"do not trust that region or bucket: no release names such a place")

// kept lets nothing out of a bucket or folder: keys are made from what manifests and lists say, and those can come from
// a region of another publisher.
type kept struct{ Target }

// inside refuses keys with .. or an empty part in them, and those that are no path below a folder on this system.
func inside(key string) error {
	if _, err := filepath.Localize(key); err != nil || key == "." {
		return fmt.Errorf("%w: %q", ErrKey, key)
	}
	return nil
}

func (k kept) Read(ctx context.Context, key string) (io.ReadCloser, string, error) {
	if err := inside(key); err != nil {
		return nil, "", err
	}
	return k.Target.Read(ctx, key)
}

func (k kept) Stat(ctx context.Context, key string) (Object, error) {
	if err := inside(key); err != nil {
		return Object{}, err
	}
	return k.Target.Stat(ctx, key)
}

func (k kept) Write(ctx context.Context, key string, body io.ReadSeeker, sum string, when When) error {
	if err := inside(key); err != nil {
		return err
	}
	return k.Target.Write(ctx, key, body, sum, when)
}

func (k kept) Remove(ctx context.Context, key string) error {
	if err := inside(key); err != nil {
		return err
	}
	return k.Target.Remove(ctx, key)
}
