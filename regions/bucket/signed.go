package bucket

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/ground"
)

// ErrNotSigned says that the region's signed list does not hold a file.
var ErrNotSigned = fault.New(fault.Verify, "not in the region's signed list",
	"this host takes only what its root of trust vouches for; ssm-setup publish signs what it publishes")

// Signed says what a region has signed: regions/trust makes one from the host's root. Where a client has one, nothing of the bucket counts
// but what is listed: small files are read by their listed SHA-256 (and, with Consistent, by the name <sha256>.<name>), a package has the
// listed hash, size and unpacked size, whatever the manifest says of it.
type Signed func(ctx context.Context, read func(ctx context.Context, key string, limit int64) ([]byte, error)) (Listed, error)

// Listed is a region's verified list.
type Listed struct {
	Find       func(key string) (Target, bool)
	Consistent bool
	Trust      Trust
}

// Target is what is listed of a file.
type Target struct {
	SHA256   manifests.Sum
	Size     int64 // bytes
	Unpacked int64 // bytes that an archive holds; 0: not said
}

// Trust says why what a client reads is believed.
type Trust struct {
	Root   int64  `json:"root,omitempty"` // number of the root; 0: nothing was verified by a root
	SHA256 string `json:"sha256,omitempty"`
}

// String is one line for people.
func (t Trust) String() string {
	if t.Root == 0 {
		return "not signed"
	}
	return fmt.Sprintf("signed, by root %d (%.12s)", t.Root, t.SHA256)
}

// verification is made once for a client, and again after a fault.
type verification struct {
	sync.Mutex
	listed *Listed
}

// Verified verifies what the region signed, if it was not done yet. The zero value: this client verifies nothing.
func (c *Client) Verified(ctx context.Context) (Trust, error) {
	l, err := c.listing(ctx)
	if err != nil || l == nil {
		return Trust{}, err
	}
	return l.Trust, nil
}

// listing is nil where nothing is to be verified.
func (c *Client) listing(ctx context.Context) (*Listed, error) {
	if c.o.Signed == nil {
		return nil, nil
	}
	c.signed.Lock()
	defer c.signed.Unlock()
	if c.signed.listed == nil {
		l, err := c.o.Signed(ctx, c.plain)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.o.Base, err)
		}
		c.signed.listed = &l
	}
	return c.signed.listed, nil
}

// small reads a small object, verified where that is asked for.
func (c *Client) small(ctx context.Context, key string, limit int64) ([]byte, error) {
	l, err := c.listing(ctx)
	if err != nil {
		return nil, err
	}
	if l == nil {
		return c.plain(ctx, key, limit)
	}
	t, ok := l.Find(key)
	if !ok {
		return nil, fmt.Errorf("%w: %w: %s", ErrMissing, ErrNotSigned, c.url(key))
	}
	at := key
	if l.Consistent {
		at = path.Join(path.Dir(key), t.SHA256.String()+"."+path.Base(key))
	}
	if t.Size > min(limit, MaxSmall) {
		return nil, fmt.Errorf("%w: %s is listed with %d bytes, at most %d expected", ErrSize, c.url(at), t.Size, limit)
	}
	b, err := c.plain(ctx, at, t.Size)
	if err != nil {
		return nil, err
	}
	return b, checkBytes(b, t, c.url(at))
}

// keepListed leaves of a manifest what is listed, with what is listed of it.
func (l *Listed) keepListed(m *manifests.Manifest) {
	for i, p := range m.Packages {
		for j, f := range p.Files {
			var kept []manifests.FileVersion
			for _, r := range f.AvailableVersions {
				v, err := manifests.ParseVersion(r.Version)
				if err != nil {
					continue
				}
				if t, ok := l.Find(p.Name + "/" + v.String() + "/" + f.Name); ok {
					r.Checksum, r.Size, r.UnpackedSize = t.SHA256.String(), t.Size, t.Unpacked
					kept = append(kept, r)
				}
			}
			m.Packages[i].Files[j].AvailableVersions = kept
		}
	}
}

// listedWant gives a file to fetch the listed hash and size. A caller that expects another hash holds a manifest that is not the signed
// one.
func (c *Client) listedWant(ctx context.Context, w *Want) error {
	l, err := c.listing(ctx)
	if err != nil || l == nil {
		return err
	}
	key, ok := strings.CutPrefix(w.URL, c.o.Base+"/")
	if !ok {
		return fmt.Errorf("%w: %s lies elsewhere", ErrNotSigned, w.URL)
	}
	t, ok := l.Find(key)
	if !ok {
		return fmt.Errorf("%w: %w: %s", ErrNotSigned, ErrMissing, w.URL)
	}
	if !w.SHA256.IsZero() && w.SHA256 != t.SHA256 {
		return fmt.Errorf("%w: %s is expected with SHA-256 %s, signed is %s", ErrChecksum, w.URL, w.SHA256, t.SHA256)
	}
	w.SHA256, w.Size = t.SHA256, t.Size
	return nil
}

// checkBytes checks a small file against what is listed of it.
func checkBytes(b []byte, t Target, address string) error {
	if int64(len(b)) != t.Size {
		return fmt.Errorf("%w: %s has %d bytes, %d expected", ErrSize, address, len(b), t.Size)
	}
	if got := ground.SHA256(b); got != t.SHA256.String() {
		return fmt.Errorf("%w: %s has SHA-256 %s, signed is %s", ErrChecksum, address, got, t.SHA256)
	}
	return nil
}
