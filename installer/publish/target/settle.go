package target

import (
	"context"
	"path/filepath"
)

// Settle has a folder's disk keep what was written, and what a run before this one wrote and could not have kept: VERSION may be in its
// place already, and then nothing else would do it. A bucket keeps what it has answered.
func Settle(at Target) error {
	if d, ok := bare(at).(*folder); ok {
		return d.syncFolders()
	}
	return nil
}

// Sweep removes from a bucket what killed publications left there in parts.
func Sweep(ctx context.Context, at Target) {
	if b, ok := bare(at).(*store); ok {
		b.uploads().Sweep(ctx)
	}
}

// Probe finds out whether a target keeps the conditions of writes, before something is written that rests on them.
func Probe(ctx context.Context, at Target) (heedless bool, err error) {
	b, ok := bare(at).(*store)
	if !ok {
		return false, nil
	}
	err = b.probe(ctx)
	return b.heedless, err
}

// Address is a place by a name that no other has: a folder's whole path, a bucket with the server that holds it.
func Address(at Target) string {
	switch t := bare(at).(type) {
	case *folder:
		if whole, err := filepath.Abs(t.dir); err == nil {
			return whole
		}
	case *store:
		return t.endpoint + t.String()
	}
	return at.String()
}
