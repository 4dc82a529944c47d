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
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// An attacker who removes the timestamp and exchanges manifest and packages must not have the publisher sign that.
func TestWhatStandsBesideAMissingTimestampIsNotSigned(t *testing.T) {
	dir := t.TempDir()
	to := target.Folder(dir)
	k, _ := trustKeys(t)
	publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{Trust: k})
	must(t, os.Remove(filepath.Join(dir, signed.TimestampKey)))
	plainly := target.Folder(t.TempDir())
	publishTo(t, plainly, release(t, "9.9.0.0", "evil"), publish.Options{})
	at := filepath.Join("amazon-ssm-agent", "9.9.0.0")
	must(t, os.CopyFS(filepath.Join(dir, at), os.DirFS(filepath.Join(plainly.String(), at))))
	must(t, os.WriteFile(filepath.Join(dir, regions.ManifestKey), []byte(read(t, plainly, regions.ManifestKey)), 0o600))
	o := publish.Options{Trust: k, UriFormat: template}
	_, err := publish.Publish(t.Context(), to, release(t, "9.2.0.0", "two"), o)
	_, err2 := publish.Refresh(t.Context(), to, true, o)
	for _, err := range []error{err, err2} {
		if !errors.Is(err, signed.ErrTree) {
			t.Errorf("what was exchanged is taken: %v", err)
		}
	}
	listed, err := filepath.Glob(filepath.Join(dir, "trust", "*.targets.json"))
	must(t, err)
	for _, file := range listed {
		if b, err := os.ReadFile(file); err != nil || strings.Contains(string(b), "9.9.0.0") {
			t.Errorf("%s lists what was exchanged: %v", file, err)
		}
	}
}

func TestALostCopyOfASmallFileLosesNoRelease(t *testing.T) {
	dir := t.TempDir()
	to := target.Folder(dir)
	k, _ := trustKeys(t)
	publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{Trust: k})
	drop := func() {
		copies, err := filepath.Glob(filepath.Join(dir, "*."+regions.ManifestKey))
		must(t, err)
		for _, file := range copies {
			must(t, os.Remove(file))
		}
	}
	drop()
	publishTo(t, to, release(t, "9.2.0.0", "two"), publish.Options{Trust: k})
	m, err := bucket.New(bucket.Options{Base: servedAt(t, dir), Signed: trust.Pinned(rootOf(t, k), trust.Watch{})}).Manifest(t.Context())
	must(t, err)
	if s, err := m.Statuses(manifests.AgentPackage); err != nil || s[manifests.MustVersion("9.1.0.0")] != manifests.Active {
		t.Errorf("9.1.0.0 is lost: %v, %v", s, err)
	}
	drop()
	plain := strings.Replace(read(t, to, regions.ManifestKey), "9.1.0.0", "9.1.9.9", 1)
	must(t, os.WriteFile(filepath.Join(dir, regions.ManifestKey), []byte(plain), 0o600))
	_, err = publish.Publish(t.Context(), to, release(t, "9.3.0.0", "three"), publish.Options{Trust: k, UriFormat: template})
	if !errors.Is(err, signed.ErrTree) || read(t, to, regions.ManifestKey) != plain {
		t.Errorf("neither copy is what was signed, and: %v", err)
	}
	if _, err := publish.Refresh(t.Context(), to, false, publish.Options{Trust: anew(k), UriFormat: template}); err != nil {
		t.Errorf("signed anew: %v", err)
	}
	if got, err := hostSees(t, servedAt(t, dir), rootOf(t, k), time.Now()); err != nil || got != "9.2.0.0" {
		t.Errorf("signed anew, a host sees %s, %v", got, err)
	}
}

// anew believes the plain files.
func anew(k *signing.Keys) *signing.Keys {
	all := *k
	all.Anew = true
	return &all
}

// A host that has seen what was signed before goes on with what is signed anew after a damage: its numbers are higher than those it saw.
func TestHostsTakeWhatIsSignedAnewAfterADamage(t *testing.T) {
	remove := func(pattern string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			files, err := filepath.Glob(filepath.Join(dir, "trust", pattern))
			must(t, err)
			for _, file := range files {
				must(t, os.Remove(file))
			}
		}
	}
	for name, damage := range map[string]func(t *testing.T, dir string){
		"the snapshots are gone": remove("*.snapshot.json"), "the targets are gone": remove("*.targets.json"),
		"the timestamp is gone": remove("timestamp.json"), "all is gone": remove("*"),
		"the timestamp is torn": func(t *testing.T, dir string) {
			must(t, os.Truncate(filepath.Join(dir, signed.TimestampKey), 20))
		},
		"all was gone, and a release was published": func(t *testing.T, dir string) {
			remove("*")(t, dir)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			to := target.Folder(dir)
			k, _ := trustKeys(t)
			publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{Trust: k})
			for range 8 { // more than a change is tried
				_, err := publish.Refresh(t.Context(), to, true, publish.Options{Trust: k})
				must(t, err)
			}
			place := trust.Place{Dir: filepath.Join(t.TempDir(), "trust")}
			must(t, place.Pin(rootOf(t, k)))
			base, want := servedAt(t, dir), "9.1.0.0"
			latest := func() (manifests.Version, error) {
				return bucket.New(bucket.Options{Base: base, Retries: -1, Signed: place.Signed(trust.Watch{})}).Latest(t.Context())
			}
			if _, err := latest(); err != nil {
				t.Fatal(err)
			}
			damage(t, dir)
			if strings.Contains(name, "published") {
				want = "9.2.0.0"
				publishTo(t, to, release(t, want, "two"), publish.Options{Trust: k})
			}
			_, err := publish.Refresh(t.Context(), to, false, publish.Options{Trust: anew(k)})
			must(t, err)
			if got, err := latest(); err != nil || got.String() != want {
				t.Errorf("the host sees %s, %v", got, err)
			}
			publishTo(t, to, release(t, "9.3.0.0", "three"), publish.Options{Trust: k})
			if got, err := latest(); err != nil || got.String() != "9.3.0.0" {
				t.Errorf("after the next release the host sees %s, %v", got, err)
			}
		})
	}
}
