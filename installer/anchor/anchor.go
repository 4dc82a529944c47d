// Package anchor is the root of trust of an installation: where it comes from, and that it stays.
//
// regions/trust verifies what a region signed by a host's root; this room says which folder of an [installer.Layout] holds that root, who
// may change it, and which root counts:
//
//  1. the one in <data>/trust: pinned by `ssm-setup install --trust`, or by 2 before; its rotations are followed;
//  2. the one that `ssm-setup build --trust root.json` put into the package, on a host that has none. It is pinned by the first program
//     that reads a region and may write there.
//
// Files it owns:
//
//	<data>/trust/          see regions/trust
//	<data>/trust.cleared   an administrator gave the root up: the package's is not pinned again
//
// It reads <settings>/trust/root.json, which packages own (installer/pack).
//
// What must always be true: a host that has a root reads nothing unsigned; only [Clear], which is `ssm-setup trust clear`, takes it
// away; the folder counts only if, from / down to it, no other account may change it, as for the store. What only shows something ([Look])
// writes nothing.
package anchor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// Carried is the root that an installation's package brought, beside its settings; nil: none. One that another account could have put
// there is an error.
func Carried(l installer.Layout) ([]byte, error) {
	file := filepath.Join(l.ConfigDir(), "trust", "root.json")
	info, err := os.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > trust.MaxRoot:
		return nil, fmt.Errorf("%w: %s is no file of at most %d bytes", trust.ErrRoot, file, trust.MaxRoot)
	}
	if err := host.CheckFolders(filepath.Dir(file), l.Root); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

// Place is the folder of an installation's root.
func Place(l installer.Layout) trust.Place {
	return trust.Place{Dir: filepath.Join(l.Data(), "trust"), Guard: func(dir string) error { return host.CheckFolders(dir, l.Root) }}
}

func cleared(l installer.Layout) string { return filepath.Join(l.Data(), "trust.cleared") }

// Signed is how a client of this installation verifies; nil where there is no root. The root of the package is pinned by it; an account
// that may not write there verifies by it all the same.
func Signed(l installer.Layout, w trust.Watch) bucket.Signed {
	place := Place(l)
	pinned, err := place.Pinned()
	if pinned || err != nil || isCleared(l) {
		return place.Signed(w)
	}
	root, err := Carried(l)
	if root == nil && err == nil {
		return nil
	}
	if err == nil {
		err = place.Pin(root)
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return trust.Pinned(root, w)
	case err != nil:
		return refusing(fmt.Errorf("cannot use the root of trust that the package brought: %w", err))
	}
	return place.Signed(w)
}

// refusing verifies nothing and so refuses everything.
func refusing(err error) bucket.Signed {
	return func(context.Context, func(context.Context, string, int64) ([]byte, error)) (bucket.Listed, error) {
		return bucket.Listed{}, err
	}
}

// Pin makes a root the one of this installation. fresh: it had none before, so that a caller that fails may give it up again.
func Pin(l installer.Layout, root []byte) (fresh bool, err error) {
	place := Place(l)
	had, err := place.Pinned()
	if err != nil {
		return false, err
	}
	if err := place.Pin(root); err != nil {
		return false, err
	}
	return !had, nil
}

// Unpin takes back what [Pin] has done freshly.
func Unpin(l installer.Layout) error { return Place(l).Clear() }

// Clear gives the root up, for good: this installation takes what is not signed again, also where its package brought a root.
func Clear(l installer.Layout) error {
	if err := os.MkdirAll(l.Data(), 0o755); err != nil {
		return err
	}
	if err := host.WriteFile(cleared(l), nil, 0o644); err != nil {
		return err
	}
	if pinned, err := Place(l).Pinned(); !pinned {
		return err
	}
	return Place(l).Clear()
}

func isCleared(l installer.Layout) bool {
	_, err := os.Lstat(cleared(l))
	return err == nil
}

// Facts are what is known of an installation's root without a network. ok is false where it has none.
func Facts(l installer.Layout) (f trust.Facts, ok bool, err error) {
	place := Place(l)
	if pinned, err := place.Pinned(); err != nil || !pinned {
		return f, pinned, err
	}
	state, err := place.Load()
	if err != nil {
		return f, true, err
	}
	f, err = state.Facts()
	return f, true, err
}

// With is as [Signed], without pinning anything: by the root that was named, or that of the package, where the installation has none yet.
func With(l installer.Layout, root []byte, w trust.Watch) bucket.Signed {
	return with(l, root, w, trust.Place.Signed)
}

// Look is as [With] for what only shows something (update --check, versions, dry runs): nothing is written at all.
func Look(l installer.Layout, root []byte, w trust.Watch) bucket.Signed {
	return with(l, root, w, trust.Place.Look)
}

func with(l installer.Layout, root []byte, w trust.Watch, verify func(trust.Place, trust.Watch) bucket.Signed) bucket.Signed {
	place := Place(l)
	pinned, err := place.Pinned()
	if pinned || err != nil {
		return verify(place, w)
	}
	if root == nil && !isCleared(l) {
		root, err = Carried(l)
	}
	switch {
	case err != nil:
		return refusing(fmt.Errorf("cannot use the root of trust that the package brought: %w", err))
	case root == nil:
		return nil
	}
	return trust.Pinned(root, w)
}
