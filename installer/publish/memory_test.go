package publish_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/signing"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/signed"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// remembering are keys whose folder remembers what it signed.
func remembering(t *testing.T) (*signing.Keys, *signed.Folder) {
	t.Helper()
	k, f := trustKeys(t)
	k.Memory = f.Memory()
	return k, f
}

// follower is a host with a root that reads a region, and remembers what it saw.
func follower(t *testing.T, base string, k *signing.Keys) func(want string) {
	t.Helper()
	place := trust.Place{Dir: filepath.Join(t.TempDir(), "trust")}
	must(t, place.Pin(rootOf(t, k)))
	return func(want string) {
		t.Helper()
		v, err := bucket.New(bucket.Options{Base: base, Retries: -1, Signed: place.Signed(trust.Watch{})}).Latest(t.Context())
		if err != nil || v.String() != want {
			t.Errorf("the host sees %s, %v; want %s", v, err, want)
		}
	}
}

// A region whose signed files are gone, or are those of an earlier day, is not begun anew by the next release: that is refused, then
// keys refresh puts back what was signed last, and hosts go on.
func TestARegionWhoseSignedFilesAreGoneIsNotSignedAsIfItWereNew(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, dir, old string){
		"all is gone": func(t *testing.T, dir, _ string) { must(t, os.RemoveAll(filepath.Join(dir, "trust"))) },
		"all and the copies that hosts read are gone": func(t *testing.T, dir, _ string) {
			must(t, os.RemoveAll(filepath.Join(dir, "trust")))
			for _, pattern := range []string{"????????????????*.ssm-agent-manifest.json", "latest/????????????????*.VERSION"} {
				files, err := filepath.Glob(filepath.Join(dir, pattern))
				must(t, err)
				for _, file := range files {
					must(t, os.Remove(file))
				}
			}
		},
		"an old copy is in its place": func(t *testing.T, dir, old string) {
			must(t, os.RemoveAll(filepath.Join(dir, "trust")))
			must(t, os.CopyFS(filepath.Join(dir, "trust"), os.DirFS(old)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, old := t.TempDir(), t.TempDir()
			to := target.Folder(dir)
			k, _ := remembering(t)
			publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{Trust: k})
			must(t, os.CopyFS(old, os.DirFS(filepath.Join(dir, "trust"))))
			publishTo(t, to, release(t, "9.2.0.0", "two"), publish.Options{Trust: k})
			sees := follower(t, servedAt(t, dir), k)
			sees("9.2.0.0")
			damage(t, dir, old)

			before := digest(t, dir)
			three := release(t, "9.3.0.0", "three")
			_, err := publish.Publish(t.Context(), to, three, publish.Options{Trust: k, UriFormat: template})
			if !errors.Is(err, signing.ErrLost) {
				t.Errorf("publishing: %v", err)
			}
			for what, change := range map[string]func() error{
				"promote": func() error {
					_, err := publish.Promote(t.Context(), to, manifests.MustVersion("9.1.0.0"), publish.Options{Trust: k})
					return err
				},
				"index": func() error {
					_, err := publish.ChangeIndex(t.Context(), to, publish.Options{Trust: k}, func(*manifests.Index) error { return nil })
					return err
				},
			} {
				if err := change(); !errors.Is(err, signing.ErrLost) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if digest(t, dir) != before {
				t.Error("something was written")
			}

			var warned string
			_, err = publish.Refresh(t.Context(), to, false, publish.Options{Trust: k, Warn: func(text string) { warned += text }})
			if err != nil || !strings.Contains(warned, "put back") {
				t.Fatalf("refresh: %v, warned %q", err, warned)
			}
			publishTo(t, to, three, publish.Options{Trust: k})
			sees("9.3.0.0")
			if got, err := hostSees(t, servedAt(t, dir), rootOf(t, k), time.Now()); err != nil || got != "9.3.0.0" {
				t.Errorf("a new host sees %s, %v", got, err)
			}
		})
	}
}

// Wherever a publication dies, and the signed files with it: what its keys remember suffices for hosts that saw any of it to go on.
func TestWhatAKilledPublicationSignedIsPutBackToo(t *testing.T) {
	one, two, three := release(t, "9.1.0.0", "one"), release(t, "9.2.0.0", "two"), release(t, "9.3.0.0", "three")
	for n := 0; ; n++ {
		dir := t.TempDir()
		to := target.Folder(dir)
		k, _ := remembering(t)
		publishTo(t, to, one, publish.Options{Trust: k})
		_, err := publish.Publish(t.Context(), &killed{Target: to, left: n}, two, publish.Options{Trust: k, UriFormat: template})
		if err != nil && !errors.Is(err, errKilled) {
			t.Fatalf("killed at write %d: %v", n, err)
		}
		saw, bad := hostSees(t, servedAt(t, dir), rootOf(t, k), time.Now())
		if bad != nil {
			t.Fatalf("killed at write %d: %v", n, bad)
		}
		sees := follower(t, servedAt(t, dir), k)
		sees(saw)
		must(t, os.RemoveAll(filepath.Join(dir, "trust")))
		if _, err := publish.Refresh(t.Context(), to, false, publish.Options{Trust: k}); err != nil {
			t.Fatalf("killed at write %d, refresh: %v", n, err)
		}
		publishTo(t, to, three, publish.Options{Trust: k})
		sees("9.3.0.0")
		if err == nil {
			return
		}
	}
}

// A folder of keys that is behind, because another machine signed since, puts nothing of its own over what is newer.
func TestAFolderOfKeysThatIsBehindPutsNothingBack(t *testing.T) {
	dir := t.TempDir()
	to := target.Folder(dir)
	k, f := remembering(t)
	publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{Trust: k})
	copied := t.TempDir()
	must(t, os.CopyFS(copied, os.DirFS(f.Dir)))
	behind := *k
	behind.Memory = (&signed.Folder{Dir: copied}).Memory()
	publishTo(t, to, release(t, "9.2.0.0", "two"), publish.Options{Trust: k})
	stamp := read(t, to, signed.TimestampKey)
	if _, err := publish.Refresh(t.Context(), to, false, publish.Options{Trust: &behind}); err != nil {
		t.Error(err)
	}
	if read(t, to, signed.TimestampKey) != stamp {
		t.Error("the newer timestamp is gone")
	}

	next, err := f.Begin(time.Now()) // and one that has not seen the newest root
	must(t, err)
	public, err := f.Make(signed.Ed25519, signed.OnlineAt, signed.Timestamp)
	must(t, err)
	must(t, next.Add(signed.Timestamp, public))
	must(t, next.Remove(signed.Timestamp, k.Roots[0].Role(signed.Timestamp).Keys[0]))
	second := complete(t, f, next)
	delete(second.Ring, k.Roots[0].Role(signed.Timestamp).Keys[0])
	publishTo(t, to, release(t, "9.3.0.0", "three"), publish.Options{Trust: second})
	stamp = read(t, to, signed.TimestampKey)
	if _, err := publish.Refresh(t.Context(), to, false, publish.Options{Trust: &behind}); !errors.Is(err, signed.ErrTree) {
		t.Errorf("by the keys of an earlier root: %v", err)
	}
	if read(t, to, signed.TimestampKey) != stamp {
		t.Error("the newer timestamp is gone")
	}
}
