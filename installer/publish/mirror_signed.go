package publish

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish/apt"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/publish/yum"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// copier takes a region's signed repository metadata as it is: a client that trusts the region's key can trust the mirror.
type copier struct {
	*writing
	from *bucket.Client
}

// signsLists tells whether a region signs its repositories.
func signsLists(ctx context.Context, from *bucket.Client) (bool, error) {
	for _, key := range signedKeys() {
		_, err := from.Small(ctx, key, maxSmall)
		if err == nil {
			return true, nil
		}
		if !notThere(err) {
			return false, err
		}
	}
	return false, nil
}

// leftOut tells that a region signs its repositories, and that its list for hosts with a root of trust does not hold them: a publication
// writes them before that list, at names that do not change, so a mirror that verifies all could only find them changed.
func leftOut(ctx context.Context, from *bucket.Client) string {
	if t, err := from.Verified(ctx); err != nil || t.Root == 0 {
		return ""
	}
	for _, key := range signedKeys() {
		if _, err := from.IfChanged(ctx, key, maxSmall, ""); err == nil {
			return "the indexes of apt and yum that the region signed by its OpenPGP key: the root of trust does not vouch for that key, so they are " +
				"not copied; the mirror has its own, unsigned unless --sign-pgp-key is given"
		}
	}
	return ""
}

// checkSameKey refuses what clients of the mirror could not check: a region whose signatures are by other keys than those that the mirror
// gave them.
func checkSameKey(ctx context.Context, from *bucket.Client, to target.Target, o Options) error {
	there, _, err := target.ReadLimited(ctx, to, KeyKey, maxSmall)
	if target.IsAbsent(err) || o.ChangeKey {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", KeyKey, err)
	}
	theirs, err := from.Small(ctx, KeyKey, maxSmall)
	switch {
	case notThere(err) || err == nil && bytes.Equal(there, theirs):
		return nil
	case err != nil:
		return err
	case o.SharesKey != nil && o.SharesKey(there, theirs):
		return nil
	}
	return fmt.Errorf("%w: %s", ErrMirrorKey, KeyKey)
}

// fits tells whether signed metadata may be taken: the mirror must hold every package of the newest version that it offers,
// because that is what package managers ask for.
func fits(region, mirror *manifests.Manifest, newest manifests.Version) bool {
	for _, p := range region.Packages {
		for _, f := range p.Files {
			format, _, ok := pack.Of(f.Name)
			if !ok || format.Repository == "" {
				continue
			}
			of := dist.File{Name: f.Name, Package: p.Name}
			if theirs := listed(region, of, newest); theirs.Version != "" && listed(mirror, of, newest).Checksum != theirs.Checksum {
				return false
			}
		}
	}
	return activeIn(mirror, newest)
}

// newestActive is the newest active version that is no newer than most, if that is given.
func newestActive(m *manifests.Manifest, most manifests.Version) (newest manifests.Version) {
	for _, p := range m.Packages {
		for _, f := range p.Files {
			for _, e := range f.AvailableVersions {
				v, err := manifests.ParseVersion(e.Version)
				if err == nil && manifests.StatusOf(e) == manifests.Active && newest.Less(v) && (most.IsZero() || !most.Less(v)) {
					newest = v
				}
			}
		}
	}
	return newest
}

// copy takes all suites; stable ones only if the mirror holds what they offer.
func (c copier) copy(ctx context.Context, stable bool) error {
	return target.Retry(ctx, func() error {
		for _, s := range suites {
			if s.stable && !stable {
				continue
			}
			if s.apt != "" {
				if err := c.apt(ctx, s.apt); err != nil {
					return err
				}
			}
			if err := c.yum(ctx, s.yum); err != nil {
				return err
			}
		}
		return c.copyObject(ctx, KeyKey)
	})
}

func (c copier) apt(ctx context.Context, at apt.Suite) error {
	inline, err := c.from.Small(ctx, at.InReleaseKey(), maxSmall)
	if notThere(err) {
		return nil
	}
	if err != nil {
		return err
	}
	release, err := c.from.Small(ctx, at.ReleaseKey(), maxSmall)
	if err != nil {
		return err
	}
	if !bytes.Contains(inline, bytes.TrimSpace(release)) {
		return fmt.Errorf("%w: %s", target.ErrChanged, at.ReleaseKey()) // the region is being published to
	}
	list, err := listsIn(at, release)
	if err != nil {
		return err
	}
	if err := c.expectLists(ctx, at.ListsKey(), at.Lists(release), nil); err != nil {
		return err
	}
	named := map[string][]byte{}
	for _, l := range list {
		hashed := at.Dists() + "/" + path.Dir(l.name) + "/by-hash/SHA256/" + l.sum
		data, err := c.hashed(ctx, hashed, l.sum)
		if err != nil {
			return err
		}
		named[at.Dists()+"/"+l.name] = data
		if err := c.writeSmall(ctx, c.to, hashed, data, target.When{}); err != nil {
			return err
		}
	}
	named[at.ReleaseKey()] = release
	if err := c.writeSmall(ctx, c.to, at.InReleaseKey(), inline, target.When{}); err != nil {
		return err
	}
	for key, data := range named {
		if err := c.writeSmall(ctx, c.to, key, data, target.When{}); err != nil {
			return err
		}
	}
	if err := c.copyObject(ctx, at.SignatureKey()); err != nil {
		return err
	}
	return c.dropLists(ctx, at.ListsKey(), nil)
}

type namedList struct{ sum, name string }

// listsIn are the lists that a Release file names, in main/ all of them: what it says becomes names of files here.
func listsIn(at apt.Suite, release []byte) (list []namedList, err error) {
	for line := range strings.Lines(string(release)) {
		f := strings.Fields(line)
		if len(f) != 3 || len(f[0]) != 2*sha256.Size || !strings.HasPrefix(line, " ") {
			continue
		}
		if _, err := hex.DecodeString(f[0]); err != nil || !fs.ValidPath(f[2]) || !strings.HasPrefix(f[2], "main/") {
			return nil, fmt.Errorf("%w: %s names %q", bucket.ErrNotBucket, at.ReleaseKey(), f[2])
		}
		list = append(list, namedList{f[0], f[2]})
	}
	return list, nil
}

var located = regexp.MustCompile(`href="(repodata/([0-9a-f]{64})-[a-z]+\.xml\.gz)"`)

func (c copier) yum(ctx context.Context, at yum.Folder) error {
	repomd, err := c.from.Small(ctx, at.RepomdKey(), maxSmall)
	if notThere(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.expectLists(ctx, at.ListsKey(), at.Lists(repomd), nil); err != nil {
		return err
	}
	for _, found := range located.FindAllSubmatch(repomd, -1) {
		data, err := c.hashed(ctx, string(at)+string(found[1]), string(found[2]))
		if err != nil {
			return err
		}
		if err := c.writeSmall(ctx, c.to, string(at)+string(found[1]), data, target.When{}); err != nil {
			return err
		}
	}
	for _, key := range []string{at.PublicKeyKey(), at.SignatureKey()} {
		if err := c.copyObject(ctx, key); err != nil {
			return err
		}
	}
	if err := c.writeSmall(ctx, c.to, at.RepomdKey(), repomd, target.When{}); err != nil {
		return err
	}
	return c.dropLists(ctx, at.ListsKey(), nil)
}

// hashed reads an object whose SHA-256 is known.
func (c copier) hashed(ctx context.Context, key, want string) ([]byte, error) {
	data, err := c.from.Small(ctx, key, maxSmall)
	if err != nil {
		return nil, err
	}
	if host.SHA256Bytes(data) != want {
		return nil, fmt.Errorf("%w: %s", bucket.ErrChecksum, key)
	}
	return data, nil
}

// copyObject copies an object as it is, if the region has it.
func (c copier) copyObject(ctx context.Context, key string) error {
	data, err := c.from.Small(ctx, key, maxSmall)
	if notThere(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.writeSmall(ctx, c.to, key, data, target.When{})
}
