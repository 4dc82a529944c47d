package anchor_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/anchor"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newRoot is a root whose four roles have one key.
func newRoot(t *testing.T) []byte {
	t.Helper()
	root := metadata.Root(time.Now().AddDate(1, 0, 0))
	public, private, err := ed25519.GenerateKey(nil)
	must(t, err)
	key, err := metadata.KeyFromPublicKey(public)
	must(t, err)
	for _, role := range []string{"root", "timestamp", "snapshot", "targets"} {
		must(t, root.Signed.AddKey(key, role))
	}
	signer, err := signature.LoadSigner(private, crypto.Hash(0))
	must(t, err)
	_, err = root.Sign(signer)
	must(t, err)
	b, err := root.ToBytes(false)
	must(t, err)
	return b
}

// unsigned is a region without signed files.
func unsigned(_ context.Context, key string, _ int64) ([]byte, error) {
	return nil, fmt.Errorf("%w: %s", bucket.ErrMissing, key)
}

// carry puts a root where packages bring it.
func carry(t *testing.T, l installer.Layout, root []byte) {
	t.Helper()
	dir := filepath.Join(l.ConfigDir(), "trust")
	must(t, os.MkdirAll(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "root.json"), root, 0o644))
}

func layout(t *testing.T) installer.Layout {
	t.Helper()
	l := installer.At(t.TempDir())
	must(t, os.MkdirAll(l.Data(), 0o755))
	return l
}

func TestAHostWithoutARootVerifiesNothing(t *testing.T) {
	l := layout(t)
	if anchor.Signed(l, trust.Watch{}) != nil {
		t.Error("it verifies")
	}
	if _, ok, err := anchor.Facts(l); ok || err != nil {
		t.Error("facts:", ok, err)
	}
}

func TestARootThatWasPinnedRefusesUnsignedUntilItIsCleared(t *testing.T) {
	l, root := layout(t), newRoot(t)
	fresh, err := anchor.Pin(l, root)
	must(t, err)
	if !fresh {
		t.Error("the first pin is not fresh")
	}
	if fresh, err := anchor.Pin(l, root); err != nil || fresh {
		t.Error("the same root again:", fresh, err)
	}
	if _, err := anchor.Pin(l, newRoot(t)); !errors.Is(err, trust.ErrOtherRoot) {
		t.Error("another root:", err)
	}
	if _, err := anchor.Signed(l, trust.Watch{})(context.Background(), unsigned); !errors.Is(err, trust.ErrUnsigned) {
		t.Error("unsigned:", err)
	}
	if f, ok, err := anchor.Facts(l); err != nil || !ok || f.Root != 1 {
		t.Error("facts:", f, ok, err)
	}
	must(t, anchor.Clear(l))
	if anchor.Signed(l, trust.Watch{}) != nil {
		t.Error("it verifies after the root was given up")
	}
}

func TestTheRootOfThePackageIsPinnedAtTheFirstReadingAndNotAfterItWasGivenUp(t *testing.T) {
	l, root := layout(t), newRoot(t)
	carry(t, l, root)
	if _, err := anchor.Signed(l, trust.Watch{})(context.Background(), unsigned); !errors.Is(err, trust.ErrUnsigned) {
		t.Error("unsigned:", err)
	}
	carry(t, l, newRoot(t)) // a later package with another root does not count
	if s, err := anchor.Place(l).Load(); err != nil || string(s.Root) != string(root) {
		t.Error("pinned:", err)
	}
	must(t, anchor.Clear(l))
	if anchor.Signed(l, trust.Watch{}) != nil {
		t.Error("the package's root came back")
	}
	_, err := anchor.Pin(l, root)
	must(t, err)
	if anchor.Signed(l, trust.Watch{}) == nil {
		t.Error("a root that is pinned again does not count")
	}
}

func TestADamagedRootOfThePackageRefusesEverything(t *testing.T) {
	l := layout(t)
	carry(t, l, []byte("{}"))
	if _, err := anchor.Signed(l, trust.Watch{})(context.Background(), unsigned); !errors.Is(err, trust.ErrRoot) {
		t.Error("got", err)
	}
}

func TestAFolderOfTrustThatOthersMayWriteIsNotBelieved(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("access lists: installer/host")
	}
	l := layout(t)
	_, err := anchor.Pin(l, newRoot(t))
	must(t, err)
	must(t, os.Chmod(anchor.Place(l).Dir, 0o777))
	if _, err := anchor.Signed(l, trust.Watch{})(context.Background(), unsigned); err == nil || errors.Is(err, trust.ErrUnsigned) {
		t.Error("got", err)
	}
}

func TestAPinThatIsTakenBackLeavesThePackagesRootGivenUp(t *testing.T) {
	l := layout(t)
	carry(t, l, newRoot(t))
	must(t, anchor.Clear(l))
	fresh, err := anchor.Pin(l, newRoot(t))
	must(t, err)
	if !fresh {
		t.Error("it is not fresh")
	}
	must(t, anchor.Unpin(l))
	if anchor.Signed(l, trust.Watch{}) != nil {
		t.Error("the package's root came back")
	}
}

// What only asks changes nothing: neither the package's root nor one that was named is pinned.
func TestARehearsalPinsNothing(t *testing.T) {
	l, root := layout(t), newRoot(t)
	carry(t, l, root)
	for _, named := range [][]byte{nil, root} {
		if _, err := anchor.With(l, named, trust.Watch{})(context.Background(), unsigned); !errors.Is(err, trust.ErrUnsigned) {
			t.Error("unsigned:", err)
		}
	}
	if pinned, err := anchor.Place(l).Pinned(); pinned || err != nil {
		t.Error("pinned:", pinned, err)
	}
}
