package keyring

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"

	"github.com/ssm-setup/ssm-setup/installer/publish/signing"
	"github.com/ssm-setup/ssm-setup/installer/sign"
	"github.com/ssm-setup/ssm-setup/installer/signed"
)

// Trusts reads what packages are to trust (--trust): a root, which is JSON, and an OpenPGP public key; one of each at most.
// Errors: ErrFlags, *Unread.
func Trusts(paths []string) (root, key []byte, err error) {
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, &Unread{"--trust", err}
		}
		into := &root
		if !json.Valid(b) {
			into = &key
			var ring sign.Trusted
			if err := ring.ReadKeys(b); err != nil {
				return nil, nil, fmt.Errorf("%w: --trust: %s is neither JSON nor an OpenPGP public key: %w", ErrFlags, path, err)
			}
			if ring.Private() {
				return nil, nil, fmt.Errorf("%w: --trust: %s holds a private key", ErrFlags, path)
			}
		}
		if *into != nil {
			return nil, nil, fmt.Errorf("%w: --trust: %s is the second of its kind", ErrFlags, path)
		}
		*into = b
	}
	return root, key, nil
}

// Folder is a folder of keys for hosts with a root of trust (--keys).
func Folder(dir string) *signed.Folder { return &signed.Folder{Dir: dir, Getenv: taken} }

// Region opens the keys of a folder that sign what a region serves; root keys are left alone. Errors: those of installer/signed.
func Region(ctx context.Context, f *signed.Folder) (*signing.Keys, error) {
	if err := f.Open(); err != nil {
		return nil, err
	}
	roots, err := f.Roots()
	if err != nil {
		return nil, err
	}
	if len(roots) == 0 {
		return nil, fmt.Errorf("%w: no root in %s has all its signatures", signed.ErrUnsigned, f.Dir)
	}
	k := &signing.Keys{Roots: roots, Ring: signed.Ring{}, Days: f.Days(), Memory: f.Memory()}
	for _, root := range roots[max(0, len(roots)-2):] { // hosts on the way from one root to the next find both
		ring, err := f.Ring(ctx, root, signed.Targets, signed.Snapshot, signed.Timestamp)
		if err != nil {
			return nil, err
		}
		maps.Copy(k.Ring, ring)
	}
	return k, nil
}
