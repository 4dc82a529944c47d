package publish_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
	"golang.org/x/sync/errgroup"

	"github.com/ssm-setup/ssm-setup/installer/publish"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/signing"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/signed"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/trust"
)

// trustKeys are keys for a region, one a role, and the folder that they lie in.
func trustKeys(t *testing.T) (*signing.Keys, *signed.Folder) {
	t.Helper()
	f := &signed.Folder{Dir: t.TempDir(), Getenv: func(string) string { return "" }}
	must(t, f.Init(signed.DefaultDays()))
	keys := map[string][]crypto.PublicKey{}
	for _, role := range signed.Roles() {
		public, err := f.Make(signed.Ed25519, signed.OnlineAt, role)
		must(t, err)
		keys[role] = []crypto.PublicKey{public}
	}
	root, err := signed.NewRoot(keys, nil, time.Now().AddDate(1, 0, 0))
	must(t, err)
	return complete(t, f, root), f
}

// complete signs a root by all keys of a folder.
func complete(t *testing.T, f *signed.Folder, root *signed.RootFile) *signing.Keys {
	t.Helper()
	roots, err := f.Roots()
	must(t, err)
	var before *signed.RootFile
	if len(roots) > 0 {
		before = roots[len(roots)-1]
	}
	ring, err := f.Ring(t.Context(), root, signed.Roles()...)
	must(t, err)
	for _, s := range ring {
		_, err := root.Sign(t.Context(), s, before)
		must(t, err)
	}
	if whole, err := f.Put(root); err != nil || !whole {
		t.Fatal(whole, err)
	}
	roots = append(roots, root)
	for _, r := range roots {
		more, err := f.Ring(t.Context(), r, signed.Roles()...)
		must(t, err)
		for id, s := range more {
			ring[id] = s
		}
	}
	return &signing.Keys{Roots: roots, Ring: ring, Days: f.Days()}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func rootOf(t *testing.T, k *signing.Keys) []byte {
	t.Helper()
	b, err := k.Roots[0].Bytes()
	must(t, err)
	return b
}

// host is what a host with a root makes of a region at an address: its latest version, and that every package of its manifest which is
// listed can be fetched. Each is verified by this product's own code and by go-tuf's client.
func hostSees(t *testing.T, base string, root []byte, now time.Time) (latest string, err error) {
	t.Helper()
	c := bucket.New(bucket.Options{Base: base, Retries: 1, Signed: trust.Pinned(root, trust.Watch{Now: func() time.Time { return now }})})
	v, err := c.Latest(t.Context())
	if err != nil {
		return "", err
	}
	m, err := c.Manifest(t.Context())
	if err != nil {
		return "", err
	}
	o, err := config.New(base+"/trust", root)
	must(t, err)
	o.DisableLocalCache, o.PrefixTargetsWithHash = true, false
	u, err := updater.New(o)
	must(t, err)
	u.UnsafeSetRefTime(now)
	if err := u.Refresh(); err != nil {
		return "", fmt.Errorf("go-tuf: %w", err)
	}
	n := 0
	for _, p := range m.Packages {
		for _, f := range p.Files {
			for _, e := range f.AvailableVersions {
				info, err := u.GetTargetInfo(p.Name + "/" + e.Version + "/" + f.Name)
				if err != nil {
					return "", fmt.Errorf("go-tuf: %w", err)
				}
				if _, _, err := u.DownloadTarget(info, filepath.Join(t.TempDir(), "file"), base); err != nil {
					return "", fmt.Errorf("go-tuf: %w", err)
				}
				if strings.HasSuffix(f.Name, ".tar.gz") && (info.Custom == nil || !strings.Contains(string(*info.Custom), "unpacked")) {
					return "", fmt.Errorf("%s: not said how much it holds", f.Name)
				}
				n++
			}
		}
	}
	if n == 0 {
		return "", errors.New("no package")
	}
	return v.String(), nil
}

func servedAt(t *testing.T, dir string) string {
	t.Helper()
	s := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(s.Close)
	return s.URL
}

func TestWhatIsPublishedWithKeysIsVerifiedByHostsAndByGoTUF(t *testing.T) {
	dir := t.TempDir()
	to := target.Folder(dir)
	publishTo(t, to, release(t, "9.0.0.0", "old"), publish.Options{}) // before the region signed
	k, f := trustKeys(t)
	res := publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{Trust: k, Repositories: true})
	if res.Trust == nil || res.Trust.Root != 1 {
		t.Errorf("the answer does not say that it was signed: %+v", res.Trust)
	}
	base := servedAt(t, dir)
	see := func(want string) {
		t.Helper()
		if got, err := hostSees(t, base, rootOf(t, k), time.Now()); err != nil || got != want {
			t.Errorf("a host sees %s, %v; want %s", got, err, want)
		}
	}
	see("9.1.0.0")
	next, err := f.Begin(time.Now())
	must(t, err)
	public, err := f.Make(signed.ECDSA, signed.OnlineAt, signed.Timestamp)
	must(t, err)
	must(t, next.Add(signed.Timestamp, public))
	must(t, next.Remove(signed.Timestamp, k.Roots[0].Role(signed.Timestamp).Keys[0]))
	second := complete(t, f, next)
	publishTo(t, to, release(t, "9.2.0.0", "two"), publish.Options{Trust: second, Repositories: true})
	see("9.2.0.0")
	v := manifests.MustVersion("9.1.0.0")
	_, err = publish.Promote(t.Context(), to, v, publish.Options{Trust: second, Repositories: true})
	must(t, err)
	_, err = publish.Mark(t.Context(), to, v, manifests.Deprecated, publish.Options{Trust: second, Repositories: true})
	must(t, err)
	_, err = publish.ChangeIndex(t.Context(), to, publish.Options{Trust: second},
		func(x *manifests.Index) error { x.SetShare(v, 20); return nil }, v)
	must(t, err)
	see("9.2.0.0")
	c := bucket.New(bucket.Options{Base: base, Signed: trust.Pinned(rootOf(t, k), trust.Watch{})})
	if stable, err := c.Stable(t.Context()); err != nil || stable != v {
		t.Errorf("stable is %s, %v", stable, err)
	}
	b, err := c.Small(t.Context(), regions.IndexKey, manifests.MaxIndex)
	if err != nil || !strings.Contains(string(b), "20") {
		t.Errorf("index: %s, %v", b, err)
	}
}

func TestASignedRegionIsNotChangedWithoutItsKeys(t *testing.T) {
	dir := t.TempDir()
	to := target.Folder(dir)
	k, _ := trustKeys(t)
	publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{Trust: k})
	other, _ := trustKeys(t)
	few := &signing.Keys{Roots: k.Roots, Ring: signed.Ring{}, Days: k.Days}
	v := manifests.MustVersion("9.1.0.0")
	for name, c := range map[string]struct {
		keys *signing.Keys
		want error
	}{"none": {nil, signing.ErrTrusted}, "another root's": {other, signed.ErrTree}, "too few": {few, signed.ErrKeys}} {
		before := digest(t, dir)
		o := publish.Options{Trust: c.keys, UriFormat: template}
		_, err := publish.Publish(t.Context(), to, release(t, "9.2.0.0", "two"), o)
		_, err2 := publish.Promote(t.Context(), to, v, o)
		_, err3 := publish.Mark(t.Context(), to, v, manifests.Inactive, o)
		_, err4 := publish.ChangeIndex(t.Context(), to, o, func(x *manifests.Index) error { x.SetShare(v, 20); return nil }, v)
		for _, err := range []error{err, err2, err3, err4} {
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if digest(t, dir) != before {
			t.Errorf("%s: something was written", name)
		}
	}
}

// digest is a folder's content.
func digest(t *testing.T, dir string) (all string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all += path + " " + sum(string(b)) + "\n"
		return err
	}))
	return all
}

func TestWhatAnotherHandWroteIsPutBackAndNeverSigned(t *testing.T) {
	dir := t.TempDir()
	to := target.Folder(dir)
	k, _ := trustKeys(t)
	publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{Trust: k})
	evil := target.Folder(t.TempDir())
	publishTo(t, evil, release(t, "9.9.0.0", "evil"), publish.Options{})
	for _, key := range []string{regions.ManifestKey, regions.LatestVersionKey} {
		must(t, os.WriteFile(filepath.Join(dir, key), []byte(read(t, evil, key)), 0o600))
	}
	var warned string
	publishTo(t, to, release(t, "9.2.0.0", "two"), publish.Options{Trust: k, Warn: func(text string) { warned += text }})
	if got, err := hostSees(t, servedAt(t, dir), rootOf(t, k), time.Now()); err != nil || got != "9.2.0.0" {
		t.Errorf("a host sees %s, %v", got, err)
	}
	if m := read(t, to, regions.ManifestKey); strings.Contains(m, "9.9.0.0") || !strings.Contains(warned, "changed without the keys") {
		t.Errorf("warned %q, manifest %s", warned, m)
	}
}

var errKilled = errors.New("killed")

// killed is a target whose writer dies at a write.
type killed struct {
	target.Target
	mu   sync.Mutex
	left int
}

func (k *killed) dies() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left--; k.left < 0 {
		return errKilled
	}
	return nil
}

func (k *killed) Write(ctx context.Context, key string, body io.ReadSeeker, sum string, when target.When) error {
	if err := k.dies(); err != nil {
		return err
	}
	return k.Target.Write(ctx, key, body, sum, when)
}

func (k *killed) Copy(ctx context.Context, at target.Target, from, key, sum string, when target.When) error {
	if err := k.dies(); err != nil {
		return err
	}
	return k.Target.Copy(ctx, at, from, key, sum, when)
}

func (k *killed) Remove(ctx context.Context, key string) error {
	if err := k.dies(); err != nil {
		return err
	}
	return k.Target.Remove(ctx, key)
}

// A publication that dies at any write leaves hosts with a root what was signed before, whole; running it again finishes it.
func TestAPublicationKilledAtAnyWriteLeavesWhatWasSigned(t *testing.T) {
	k, _ := trustKeys(t)
	one, two := release(t, "9.1.0.0", "one"), release(t, "9.2.0.0", "two")
	o := publish.Options{Trust: k, UriFormat: template}
	everyWrite := func(t *testing.T, make func(n int) (to target.Target, base string)) {
		for n := 0; ; n++ {
			to, base := make(n)
			publishTo(t, to, one, o)
			_, err := publish.Publish(t.Context(), &killed{Target: to, left: n}, two, o)
			if err != nil && !errors.Is(err, errKilled) {
				t.Fatalf("killed at write %d: %v", n, err)
			}
			got, see := hostSees(t, base, rootOf(t, k), time.Now())
			if see != nil || got != "9.2.0.0" && (err == nil || got != "9.1.0.0") {
				t.Fatalf("killed at write %d (%v): a host sees %s, %v", n, err, got, see)
			}
			if err == nil {
				t.Logf("%d writes", n)
				return
			}
			publishTo(t, to, two, o)
			if got, err := hostSees(t, base, rootOf(t, k), time.Now()); err != nil || got != "9.2.0.0" {
				t.Fatalf("killed at write %d, and run again: a host sees %s, %v", n, got, err)
			}
		}
	}
	t.Run("folder", func(t *testing.T) {
		everyWrite(t, func(int) (target.Target, string) {
			dir := t.TempDir()
			return target.Folder(dir), servedAt(t, dir)
		})
	})
	t.Run("bucket", func(t *testing.T) {
		r, _ := region(t)
		everyWrite(t, func(n int) (target.Target, string) {
			prefix := fmt.Sprintf("n%d", n)
			to, err := target.Bucket(t.Context(), target.BucketOptions{Region: r.Name(), Endpoint: r.URL(), Bucket: regions.Bucket(r.Name()),
				Prefix: prefix, Tries: 4, Pause: time.Millisecond})
			must(t, err)
			return to, r.URL() + "/" + regions.Bucket(r.Name()) + "/" + prefix
		})
	})
}

func TestPublishersAtOnceSignWhatBothBring(t *testing.T) {
	r, to := region(t)
	k, _ := trustKeys(t)
	publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{Trust: k})
	base := r.URL() + "/" + regions.Bucket(r.Name())
	var group errgroup.Group
	for v, body := range map[string]string{"9.2.0.0": "two", "9.3.0.0": "three"} {
		one := release(t, v, body)
		group.Go(func() error { return publishPatiently(t, to, one, publish.Options{Trust: k, UriFormat: template}) })
	}
	must(t, group.Wait())
	if got, err := hostSees(t, base, rootOf(t, k), time.Now()); err != nil || got != "9.3.0.0" {
		t.Errorf("a host sees %s, %v", got, err)
	}
	c := bucket.New(bucket.Options{Base: base, Signed: trust.Pinned(rootOf(t, k), trust.Watch{})})
	m, err := c.Manifest(t.Context())
	must(t, err)
	for _, v := range []string{"9.1.0.0", "9.2.0.0", "9.3.0.0"} {
		if s, err := m.Statuses("amazon-ssm-agent"); err != nil || s[manifests.MustVersion(v)] != manifests.Active {
			t.Errorf("%s is lost: %v, %v", v, s, err)
		}
	}
}

// publishPatiently runs it again while another publication is faster, as the hint says.
func publishPatiently(t *testing.T, to target.Target, r *dist.Release, o publish.Options) error {
	for try := 0; ; try++ {
		_, err := publish.Publish(t.Context(), to, r, o)
		if !errors.Is(err, target.ErrChanged) || try == 20 {
			return err
		}
	}
}

func TestRefreshRenewsWhatEndsSoonWithoutARelease(t *testing.T) {
	dir := t.TempDir()
	to := target.Folder(dir)
	k, f := trustKeys(t)
	publishTo(t, to, release(t, "9.1.0.0", "one"), publish.Options{Trust: k})
	base, now := servedAt(t, dir), time.Now()
	online := &signing.Keys{Roots: k.Roots, Days: k.Days}
	var err error
	online.Ring, err = f.Ring(t.Context(), k.Roots[0], signed.Snapshot, signed.Timestamp)
	must(t, err)
	for _, days := range []int{1, 5, 20, 40, 80} {
		now := now.AddDate(0, 0, days)
		res, err := publish.Refresh(t.Context(), to, false, publish.Options{Trust: online, Now: func() time.Time { return now }})
		if err != nil || (res.Trust != nil && len(res.Trust.Keys) > 0) != (days > 1) {
			t.Errorf("day %d: %v %+v", days, err, res.Trust)
		}
		if got, err := hostSees(t, base, rootOf(t, k), now); err != nil || got != "9.1.0.0" {
			t.Errorf("day %d: a host sees %s, %v", days, got, err)
		}
	}
}

func TestAMirrorCopiesWhatIsSignedAsItIs(t *testing.T) {
	from, dir := t.TempDir(), t.TempDir()
	k, _ := trustKeys(t)
	publishTo(t, target.Folder(from), release(t, "9.1.0.0", "one"), publish.Options{Trust: k})
	for _, v := range []string{"9.1.0.0", "9.2.0.0"} {
		if v == "9.2.0.0" {
			publishTo(t, target.Folder(from), release(t, v, "two"), publish.Options{Trust: k})
		}
		c := bucket.New(bucket.Options{Base: servedAt(t, from)})
		if _, err := publish.Mirror(t.Context(), c, target.Folder(dir), publish.Wanted{}, publish.Options{}); err != nil {
			t.Fatal(err)
		}
		if got, err := hostSees(t, servedAt(t, dir), rootOf(t, k), time.Now()); err != nil || got != v {
			t.Errorf("a host of the mirror sees %s, %v; want %s", got, err, v)
		}
	}
	if read(t, target.Folder(from), signed.TimestampKey) != read(t, target.Folder(dir), signed.TimestampKey) {
		t.Error("the mirror's timestamp is another one")
	}
}
