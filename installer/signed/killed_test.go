package signed_test

import (
	"crypto"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/signed"
)

// rotate is what `keys rotate timestamp` does with a folder, up to the signature of the root keys; then what `keys sign` adds.
func rotate(t *testing.T, f *signed.Folder) error {
	t.Helper()
	root, err := f.Begin(time.Now())
	if err != nil {
		return err
	}
	for _, id := range root.Role(signed.Timestamp).Keys {
		public, err := f.Make(signed.Ed25519, signed.OnlineAt, signed.Timestamp)
		if err == nil {
			err = errors.Join(root.Add(signed.Timestamp, public), root.Remove(signed.Timestamp, id))
		}
		if err != nil {
			return err
		}
	}
	if err := f.Save(); err != nil {
		return err
	}
	if _, err := f.Put(root); err != nil { // on its way
		return err
	}
	roots, err := f.Roots()
	if err != nil {
		return err
	}
	ring, err := f.Ring(t.Context(), roots[len(roots)-1], signed.Root)
	if err != nil {
		return err
	}
	for _, s := range ring {
		if _, err := root.Sign(t.Context(), s, roots[len(roots)-1]); err != nil {
			return err
		}
	}
	_, err = f.Put(root)
	return err
}

// A program that exchanges a key and is killed at any of its writes leaves a folder by which the region is signed as before, and in which
// the exchange is made by running it again.
func TestAnExchangeOfKeysThatIsKilledAnywhereIsMadeAgain(t *testing.T) {
	begun := t.TempDir()
	f := &signed.Folder{Dir: begun, Getenv: func(string) string { return "" }}
	must(t, f.Init(signed.DefaultDays()))
	keys := map[string][]crypto.PublicKey{}
	for _, role := range signed.Roles() {
		public, err := f.Make(signed.Ed25519, signed.OnlineAt, role)
		must(t, err)
		keys[role] = []crypto.PublicKey{public}
	}
	root, err := signed.NewRoot(keys, nil, time.Now().AddDate(1, 0, 0))
	must(t, err)
	ring, err := f.Ring(t.Context(), root, signed.Root)
	must(t, err)
	for _, s := range ring {
		_, err := root.Sign(t.Context(), s, nil)
		must(t, err)
	}
	_, err = f.Put(root)
	must(t, err)
	must(t, f.Save())

	done := copied(t, begun)
	whole := &signed.Folder{Dir: done, Getenv: f.Getenv}
	must(t, whole.Open())
	must(t, rotate(t, whole))
	var secret string
	must(t, filepath.WalkDir(filepath.Join(done, signed.OnlineAt), func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(done, path)
		if _, missing := os.Stat(filepath.Join(begun, name)); missing != nil && !d.IsDir() {
			secret = filepath.ToSlash(name)
		}
		return err
	}))
	onItsWay, err := whole.Roots()
	must(t, err)
	unsigned, err := onItsWay[1].Bytes()
	must(t, err)
	writes := []string{secret, "keys.json", "next.root.json", "roots/2.root.json", "root.json"} // and next.root.json is removed
	for n := range len(writes) + 1 {
		dir := copied(t, begun)
		for _, name := range writes[:n] {
			b, err := os.ReadFile(filepath.Join(done, filepath.FromSlash(name)))
			if name == "next.root.json" {
				b, err = unsigned, nil
			}
			must(t, err)
			must(t, os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), b, 0o600))
		}
		again := &signed.Folder{Dir: dir, Getenv: f.Getenv}
		must(t, again.Open())
		roots, err := again.Roots()
		must(t, err)
		now := roots[len(roots)-1]
		ring, err := again.Ring(t.Context(), now, signed.Roles()...)
		must(t, err)
		for _, role := range signed.Roles() {
			if !ring.Reaches(now, role) {
				t.Errorf("killed after %d writes: %s cannot be signed", n, role)
			}
		}
		if err := rotate(t, again); err != nil {
			t.Errorf("killed after %d writes, run again: %v", n, err)
			continue
		}
		after, err := again.Roots()
		must(t, err)
		if len(after) <= len(roots) {
			t.Errorf("killed after %d writes, run again: no new root", n)
		}
		if next, err := again.Next(); next != nil || err != nil {
			t.Errorf("killed after %d writes, run again: a root is on its way still: %v", n, err)
		}
	}
}

func copied(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	must(t, os.CopyFS(to, os.DirFS(dir)))
	must(t, filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			err = os.Chmod(path, 0o600)
		}
		return err
	}))
	return to
}
