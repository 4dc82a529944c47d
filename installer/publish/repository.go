package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish/apt"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/installer/publish/yum"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Signer signs a region's repository metadata.
type Signer interface {
	Armored(data []byte) ([]byte, error) // detached signature
	Clear(text []byte) ([]byte, error)   // the text itself with a signature around it
	PublicKey() ([]byte, error)          // armored
	Knows(file []byte) bool              // one of the keys is in a file of public keys
}

// KeyKey is where the public key of signed repositories lies.
const KeyKey = "ssm-setup.asc"

// checkStaysSigned refuses to write unsigned metadata beside signatures that would not fit it, and such as clients cannot check that
// trust the keys which lie there.
func checkStaysSigned(ctx context.Context, to target.Target, o Options) error {
	if !o.Repositories {
		return nil
	}
	if o.Sign != nil {
		there, _, err := target.ReadLimited(ctx, to, KeyKey, maxSmall)
		switch {
		case errors.Is(err, target.ErrAbsent) || err == nil && (o.ChangeKey || o.Sign.Knows(there)):
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", KeyKey, err)
		}
		return fmt.Errorf("%w: %s", ErrOtherKey, KeyKey)
	}
	for _, at := range signedKeys() {
		_, err := to.Stat(ctx, at)
		if err == nil {
			return fmt.Errorf("%w: %s", ErrSigned, at)
		}
		if !errors.Is(err, target.ErrAbsent) {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	return nil
}

// suites are the places of repositories: apt's suite and yum's folder of each name. Stable ones hold versions up to the stable one.
var suites = []struct {
	apt    apt.Suite
	yum    yum.Folder
	stable bool
}{{apt.Stable, yum.Stable, true}, {apt.Latest, yum.Latest, false}, {"", yum.Root, false}}

// signedKeys are the signatures that signed repositories have.
func signedKeys() (keys []string) {
	for _, s := range suites {
		if s.apt != "" {
			keys = append(keys, s.apt.InReleaseKey())
		}
		keys = append(keys, s.yum.SignatureKey())
	}
	return keys
}

// repositories brings apt's and yum's metadata in line with the manifest: all active versions. When the manifest changed
// meanwhile it is made anew, so the last of several publications leaves all versions in it.
func (p *publication) repositories(ctx context.Context) error {
	local := map[string]string{}
	for _, f := range p.r.Files {
		for _, key := range f.Keys {
			local[key] = filepath.Join(p.r.Dir, f.Name)
		}
	}
	return p.writing.repositories(ctx, p.merged, local)
}

func (p *writing) repositories(ctx context.Context, m *manifests.Manifest, local map[string]string) error {
	if !p.o.Repositories {
		return nil
	}
	return target.Retry(ctx, func() error {
		s := packageIndex{from: p.to, local: local}
		if err := s.fill(ctx, m); err != nil {
			return err
		}
		other, err := p.otherKey(ctx)
		if err != nil {
			return err
		}
		if err := p.suites(ctx, s, other); err != nil {
			return err
		}
		if err := p.publicKey(ctx, len(s.debs)+len(s.rpms) > 0); err != nil {
			return err
		}
		if p.o.DryRun {
			return nil
		}
		now, _, err := readManifest(ctx, p.to)
		if err != nil || now == nil || string(now.Bytes()) == string(m.Bytes()) {
			return err
		}
		m = now
		return target.ErrChanged
	})
}

// suites writes all of them. Until a version is promoted, stable follows latest.
func (p *writing) suites(ctx context.Context, s packageIndex, other bool) error {
	if p.stable.IsZero() {
		var err error
		if p.stable, _, err = readStable(ctx, p.to); err != nil {
			return err
		}
	}
	for _, at := range suites {
		debs, rpms := s.debs, s.rpms
		if at.stable && !p.stable.IsZero() {
			debs = slices.DeleteFunc(slices.Clone(debs), func(d apt.Package) bool { return p.stable.Less(versionOf(d.Key)) })
			rpms = slices.DeleteFunc(slices.Clone(rpms), func(r yum.Package) bool { return p.stable.Less(versionOf(r.Key)) })
		}
		if at.apt != "" {
			if err := p.apt(ctx, at.apt, debs, other); err != nil {
				return err
			}
		}
		if err := p.yum(ctx, at.yum, rpms, other); err != nil {
			return err
		}
	}
	return nil
}

// versionOf is the version in the key of a package: <package>/<version>/<file>.
func versionOf(key string) manifests.Version {
	v, _ := manifests.ParseVersion(path.Base(path.Dir(key)))
	return v
}

// packageIndex is what lies in the bucket for package managers.
type packageIndex struct {
	from  target.Target
	local map[string]string // key → file on this machine with the same content
	debs  []apt.Package
	rpms  []yum.Package
}

// fill reads the head of every active package.
func (s *packageIndex) fill(ctx context.Context, m *manifests.Manifest) error {
	type found struct {
		repository, key string
		entry           manifests.FileVersion
	}
	var list []found
	for _, p := range m.Packages {
		for _, f := range p.Files {
			format, _, ok := pack.Of(f.Name)
			if !ok || format.Repository == "" {
				continue
			}
			for _, e := range f.AvailableVersions {
				if manifests.StatusOf(e) == manifests.Active {
					list = append(list, found{format.Repository, p.Name + "/" + e.Version + "/" + f.Name, e})
				}
			}
		}
	}
	debs, rpms := make([]apt.Package, len(list)), make([]yum.Package, len(list))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i, f := range list {
		group.Go(func() (err error) {
			debs[i], rpms[i], err = s.read(ctx, f.repository, f.key, f.entry)
			return err
		})
	}
	err := group.Wait()
	s.debs = slices.DeleteFunc(debs, func(p apt.Package) bool { return p.Key == "" })
	s.rpms = slices.DeleteFunc(rpms, func(p yum.Package) bool { return p.Key == "" })
	return err
}

// read describes one package by its head. One that the manifest lists and the bucket has not, or without a usable checksum, is left
// out: it is no worse for that than it was.
func (s *packageIndex) read(ctx context.Context, repository, key string, e manifests.FileVersion) (d apt.Package, r yum.Package,
	err error) {
	sum, err := e.Sum()
	if err != nil {
		return d, r, nil //nolint:nilerr // left out, too
	}
	body, size, err := s.open(ctx, key)
	if errors.Is(err, target.ErrAbsent) {
		return d, r, nil
	}
	if err != nil {
		return d, r, fmt.Errorf("%s: %w", key, err)
	}
	defer body.Close()
	if e.Size > 0 {
		size = e.Size
	}
	switch repository {
	case "apt":
		d = apt.Package{Key: key, SHA256: sum.String(), Size: size}
		d.Control, err = apt.Control(body)
	case "yum":
		r, err = yum.Read(body)
		r.Key, r.SHA256, r.Size = key, sum.String(), size
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", key, err)
	}
	return d, r, err
}

func (s *packageIndex) open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if file, ok := s.local[key]; ok {
		f, err := os.Open(file)
		if err != nil {
			return nil, 0, err
		}
		info, err := f.Stat()
		return f, info.Size(), err
	}
	o, err := s.from.Stat(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	body, _, err := s.from.Read(ctx, key)
	return body, o.Size, err
}

// apt writes the Debian repository. Where nothing changed but the time, nothing is written, unless another key signs now.
func (p *writing) apt(ctx context.Context, at apt.Suite, list []apt.Package, other bool) error {
	x, err := at.Make(list)
	if err != nil {
		return err
	}
	old, _, err := target.ReadLimited(ctx, p.to, at.ReleaseKey(), maxSmall)
	if err != nil && !errors.Is(err, target.ErrAbsent) {
		return fmt.Errorf("%s: %w", at.ReleaseKey(), err)
	}
	if len(list) == 0 && old == nil {
		return nil
	}
	release := x.Release(apt.Date(old))
	if string(release) != string(old) {
		release = x.Release(later(p.o.Now(), apt.Date(old)))
	} else if done, err := p.signedBefore(ctx, at.InReleaseKey(), other); done || err != nil {
		p.report(Step{Key: at.ReleaseKey(), Action: Same, Size: int64(len(release))}, 0)
		return err
	}
	if err := p.expectLists(ctx, at.ListsKey(), at.Lists(release), at.Lists(old)); err != nil {
		return err
	}
	files := x.Hashed
	last := append(x.Named[:len(x.Named):len(x.Named)], apt.File{Key: at.ReleaseKey(), Data: release})
	if p.o.Sign != nil {
		clear, err := p.o.Sign.Clear(release)
		if err != nil {
			return fmt.Errorf("sign %s: %w", at.InReleaseKey(), err)
		}
		detached, err := p.o.Sign.Armored(release)
		if err != nil {
			return fmt.Errorf("sign %s: %w", at.SignatureKey(), err)
		}
		files = append(files, apt.File{Key: at.InReleaseKey(), Data: clear})
		last = append(last, apt.File{Key: at.SignatureKey(), Data: detached})
	}
	for _, f := range append(files, last...) {
		if err := p.writeSmall(ctx, p.to, f.Key, f.Data, target.When{}); err != nil {
			return err
		}
	}
	return p.dropLists(ctx, at.ListsKey(), nil)
}

// yum writes the rpm repository in the same way.
func (p *writing) yum(ctx context.Context, at yum.Folder, list []yum.Package, other bool) error {
	x, err := at.Make(list)
	if err != nil {
		return err
	}
	old, _, err := target.ReadLimited(ctx, p.to, at.RepomdKey(), maxSmall)
	if err != nil && !errors.Is(err, target.ErrAbsent) {
		return fmt.Errorf("%s: %w", at.RepomdKey(), err)
	}
	if len(list) == 0 && old == nil {
		return nil
	}
	repomd := x.Repomd(yum.Date(old))
	if string(repomd) != string(old) {
		repomd = x.Repomd(later(p.o.Now(), yum.Date(old)))
	} else if done, err := p.signedBefore(ctx, at.SignatureKey(), other); done || err != nil {
		p.report(Step{Key: at.RepomdKey(), Action: Same, Size: int64(len(repomd))}, 0)
		return err
	}
	if err := p.expectLists(ctx, at.ListsKey(), at.Lists(repomd), at.Lists(old)); err != nil {
		return err
	}
	files := x.Hashed
	if p.o.Sign != nil {
		detached, err := p.o.Sign.Armored(repomd)
		if err != nil {
			return fmt.Errorf("sign %s: %w", at.SignatureKey(), err)
		}
		public, err := p.o.Sign.PublicKey()
		if err != nil {
			return fmt.Errorf("public key: %w", err)
		}
		files = append(files, yum.File{Key: at.PublicKeyKey(), Data: public}, yum.File{Key: at.SignatureKey(), Data: detached})
	}
	for _, f := range append(files, yum.File{Key: at.RepomdKey(), Data: repomd}) {
		if err := p.writeSmall(ctx, p.to, f.Key, f.Data, target.When{}); err != nil {
			return err
		}
	}
	return p.dropLists(ctx, at.ListsKey(), nil)
}

// signedBefore tells whether unchanged metadata needs no signature, or has one by the key that signs now.
func (p *writing) signedBefore(ctx context.Context, key string, other bool) (bool, error) {
	if p.o.Sign == nil {
		return true, nil
	}
	if other {
		return false, nil
	}
	_, err := p.to.Stat(ctx, key)
	if errors.Is(err, target.ErrAbsent) {
		return false, nil
	}
	return err == nil, err
}

// otherKey tells whether the key that signs now is not the one whose public half lies there: a new one, or the same with another
// expiry. Then all is signed anew, and the public half written last, so that a publication that stopped between the two is
// repeated by the next.
func (p *writing) otherKey(ctx context.Context) (bool, error) {
	if p.o.Sign == nil {
		return false, nil
	}
	now, err := p.o.Sign.PublicKey()
	if err != nil {
		return false, fmt.Errorf("public key: %w", err)
	}
	there, _, err := target.ReadLimited(ctx, p.to, KeyKey, maxSmall)
	if err != nil && !errors.Is(err, target.ErrAbsent) {
		return false, fmt.Errorf("%s: %w", KeyKey, err)
	}
	return string(there) != string(now), nil
}

// publicKey writes the key's public half where there is something signed with it.
func (p *writing) publicKey(ctx context.Context, signed bool) error {
	if p.o.Sign == nil || !signed {
		return nil
	}
	key, err := p.o.Sign.PublicKey()
	if err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	return p.writeSmall(ctx, p.to, KeyKey, key, target.When{})
}

// later is now, but after the time of what is replaced: clients do not go back.
func later(now, before time.Time) time.Time {
	now = now.UTC().Truncate(time.Second)
	if !now.After(before) {
		return before.Add(time.Second)
	}
	return now
}
