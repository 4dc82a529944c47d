package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/publish/atom"
	"github.com/ssm-setup/ssm-setup/installer/publish/dist"
	"github.com/ssm-setup/ssm-setup/installer/publish/target"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// Wanted says what of a region a mirror shall hold.
type Wanted struct {
	Versions []manifests.Version // these; none: the region's latest and stable ones
	Latest   bool                // only the latest one
	Stable   bool                // the stable one, beside Versions

	Platforms []pack.Platform // only packages for these; none: for all
}

// Mirrored is what a mirror holds after a run.
type Mirrored struct {
	Versions []manifests.Version `json:"versions"`
	Latest   manifests.Version   `json:"latest"`
	Stable   manifests.Version   `json:"stable"`             // empty if the mirror does not hold the region's stable version
	Signed   bool                `json:"signed"`             // metadata for apt and yum, by the region's key or the one given
	LeftOut  string              `json:"left_out,omitempty"` // what the region has and the mirror was not given, and why
	Traffic  Traffic             `json:"traffic"`
	Steps    []Step              `json:"steps"`
}

// Mirror copies versions from a region into a target: each is fetched, checked against the region's manifest, and published
// there as it was published here, in ascending order. What the mirror has already is not fetched again. Metadata for apt and
// yum that the region signed is taken as it is, unless a key is given; where that does not fit the mirror, there is none.
// What was fetched by a run that broke off stays in o.Scratch for the next one, which goes on with it, to the byte.
func Mirror(ctx context.Context, from *bucket.Client, to target.Target, w Wanted, o Options) (res Mirrored, err error) {
	defer func() { res.Traffic = TrafficOf(res.Steps) }()
	m, err := from.Manifest(ctx)
	if err != nil {
		return res, err
	}
	stable, err := from.Stable(ctx)
	if err != nil && !notThere(err) {
		return res, err
	}
	list, err := w.resolve(ctx, from, m, stable)
	if err != nil {
		return res, err
	}
	theirs := false
	if o.Repositories && o.Sign == nil {
		if theirs, err = signsLists(ctx, from); err != nil {
			return res, err
		}
		if !theirs {
			res.LeftOut = leftOut(ctx, from)
		}
	}
	if theirs {
		if err := checkSameKey(ctx, from, to, o); err != nil {
			return res, err
		}
	}
	o.mirrors = true
	res.Signed = o.Repositories && o.Sign != nil
	if err := res.copyVersions(ctx, from, to, m, list, w, theirs, o); err != nil {
		return res, err
	}
	o.Progress = nil // that was what takes long
	one := o
	one.Repositories = o.Repositories && !theirs
	if err := res.copyMarks(ctx, from, to, m, one); err != nil {
		return res, err
	}
	if theirs && !o.DryRun {
		if err := res.copySigned(ctx, from, to, m, stable, o); err != nil {
			return res, err
		}
	}
	if slices.Contains(list, stable) && activeIn(m, stable) && !o.DryRun {
		p, err := Promote(ctx, to, stable, one)
		if err != nil {
			return res, err
		}
		res.Stable, res.Steps = stable, append(res.Steps, p.Steps...)
	}
	return res, res.copyTrusted(ctx, from, to, o)
}

// copyVersions copies the wanted versions. theirs: the region's own signatures of repositories are taken later. What is fetched is told as
// one thing; to write it into the mirror is told by none of its parts.
func (res *Mirrored) copyVersions(ctx context.Context, from *bucket.Client, to target.Target, m *manifests.Manifest,
	list []manifests.Version, w Wanted, theirs bool, o Options) error {
	all := &sum{tell: o.Progress}
	o.Progress, o.fetched, o.Repositories = nil, all, o.Repositories && !theirs
	for _, v := range list {
		all.expect(w.part(m, v))
	}
	for _, v := range list {
		steps, err := mirrorOne(ctx, from, to, w.part(m, v), v, o)
		if err != nil {
			return fmt.Errorf("version %s: %w", v, err)
		}
		res.Versions, res.Steps = append(res.Versions, v), append(res.Steps, steps.Steps...)
		if steps.Latest {
			res.Latest = v
		} else {
			res.Latest = steps.Before
		}
	}
	all.end()
	return nil
}

// copyStatuses has every version in the mirror the status that the region gives it by now: one that was withdrawn there must not
// go on being offered here.
func (res *Mirrored) copyStatuses(ctx context.Context, to target.Target, region *manifests.Manifest, o Options) error {
	own, _, err := readManifest(ctx, to)
	if err != nil || own == nil || !follow(own, region) {
		return err
	}
	p := newWriting(to, o)
	defer func() { res.Steps = append(res.Steps, p.result.Steps...) }()
	own, err = p.changeManifest(ctx, func(own *manifests.Manifest) error {
		follow(own, region)
		return nil
	})
	if err != nil {
		return err
	}
	if err := p.repositories(ctx, own, nil); err != nil {
		return err
	}
	return p.changeFeed(ctx, func(own *manifests.Manifest) { follow(own, region) }, func(string, *atom.Feed) {})
}

// follow gives the files that both manifests list, with the same content, the region's status. It tells whether one changed.
func follow(own, region *manifests.Manifest) (changed bool) {
	for _, p := range own.Packages {
		for _, f := range p.Files {
			for _, e := range slices.Clone(f.AvailableVersions) {
				v, err := manifests.ParseVersion(e.Version)
				theirs := listed(region, dist.File{Name: f.Name, Package: p.Name}, v)
				if err != nil || theirs.Version == "" || !strings.EqualFold(theirs.Checksum, e.Checksum) ||
					manifests.StatusOf(theirs) == manifests.StatusOf(e) {
					continue
				}
				e.Status, changed = theirs.Status, true
				own.Add(p.Name, f.Name, e)
			}
		}
	}
	return changed
}

// copySigned copies the region's own metadata, if it fits.
func (res *Mirrored) copySigned(ctx context.Context, from *bucket.Client, to target.Target, m *manifests.Manifest, stable manifests.Version,
	o Options) error {
	own, _, err := readManifest(ctx, to)
	if err != nil || own == nil || !fits(m, own, newestActive(m, manifests.Version{})) {
		return err
	}
	c := copier{newWriting(to, o), from}
	err = c.copy(ctx, fits(m, own, newestActive(m, stable)))
	res.Signed, res.Steps = err == nil, append(res.Steps, c.result.Steps...)
	return err
}

// resolve lists the versions to copy, in ascending order.
func (w Wanted) resolve(ctx context.Context, from *bucket.Client, m *manifests.Manifest, stable manifests.Version) ([]manifests.Version,
	error) {
	list := slices.Clone(w.Versions)
	if w.Stable && stable.IsZero() {
		return nil, fmt.Errorf("%w: the region has no stable version: none was promoted", bucket.ErrMissing)
	}
	if w.Stable {
		list = append(list, stable)
	}
	if len(list) == 0 {
		latest, err := from.Latest(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, latest)
		if !w.Latest && !stable.IsZero() && stable != latest {
			list = append(list, stable)
		}
	}
	for _, v := range list {
		if len(filesOf(m, v)) == 0 {
			return nil, fmt.Errorf("%w: the manifest does not list %s", bucket.ErrMissing, v)
		}
		if len(w.part(m, v).Packages) == 0 {
			return nil, fmt.Errorf("%w: the manifest lists nothing of %s for %v", bucket.ErrMissing, v, w.Platforms)
		}
	}
	slices.SortFunc(list, manifests.Version.Compare)
	return slices.Compact(list), nil
}

// filesOf is the part of a manifest that a version has.
func filesOf(m *manifests.Manifest, v manifests.Version) []manifests.Package {
	var list []manifests.Package
	for _, p := range m.Packages {
		own := manifests.Package{Name: p.Name}
		for _, f := range p.Files {
			for _, e := range f.AvailableVersions {
				if e.Version == v.String() && e.Checksum != "" {
					own.Files = append(own.Files, manifests.File{Name: f.Name, AvailableVersions: []manifests.FileVersion{e}})
				}
			}
		}
		if len(own.Files) > 0 {
			list = append(list, own)
		}
	}
	return list
}

// part is the manifest of what is wanted of one version. A file of a kind that is not known here is for every platform.
func (w Wanted) part(m *manifests.Manifest, v manifests.Version) *manifests.Manifest {
	own := manifests.NewManifest(m.UriFormat)
	for _, p := range filesOf(m, v) {
		p.Files = slices.DeleteFunc(p.Files, func(f manifests.File) bool {
			name := f.Name
			if archive, _, ok := manifests.ParseDeltaFile(name); ok {
				name = archive
			}
			_, platform, known := pack.Of(name)
			return known && len(w.Platforms) > 0 && !slices.Contains(w.Platforms, platform)
		})
		if len(p.Files) > 0 {
			own.Packages = append(own.Packages, p)
		}
	}
	return own
}

func activeIn(m *manifests.Manifest, v manifests.Version) bool {
	for _, p := range filesOf(m, v) {
		for _, f := range p.Files {
			if manifests.StatusOf(f.AvailableVersions[0]) == manifests.Active {
				return true
			}
		}
	}
	return false
}

// mirrorOne makes a release folder of what is wanted of a version, and publishes that. The folder is gone when that is done.
func mirrorOne(ctx context.Context, from *bucket.Client, to target.Target, own *manifests.Manifest, v manifests.Version, o Options) (Result,
	error) {
	dir, err := o.scratch(v)
	if err != nil {
		return Result{}, err
	}
	res, err := mirrorPart(ctx, from, to, own, v, dir, o)
	if err == nil || o.Scratch == "" || o.DryRun {
		os.RemoveAll(dir)
		os.Remove(o.Scratch) // if nothing else is in it
	}
	return res, err
}

// scratch is where a version's files are collected: a place that the next run finds, if there is one.
func (o Options) scratch(v manifests.Version) (dir string, err error) {
	if o.Scratch == "" || o.DryRun {
		return os.MkdirTemp("", "ssm-setup-mirror-")
	}
	dir = filepath.Join(o.Scratch, v.String())
	return dir, os.MkdirAll(dir, 0o755)
}

func mirrorPart(ctx context.Context, from *bucket.Client, to target.Target, own *manifests.Manifest, v manifests.Version, dir string,
	o Options) (Result, error) {
	for _, p := range own.Packages {
		for _, f := range p.Files {
			if !dist.IsName(p.Name) || !dist.IsName(f.Name) {
				return Result{}, fmt.Errorf("%w: %q of %q is no file's name", manifests.ErrManifest, f.Name, p.Name)
			}
			e := f.AvailableVersions[0]
			if err := obtain(ctx, from, to, p.Name, f.Name, v, e, dir, o); err != nil {
				return Result{}, err
			}
		}
	}
	if err := documents(ctx, from, v, dir); err != nil {
		return Result{}, err
	}
	if err := os.WriteFile(filepath.Join(dir, build.ManifestFile), own.Bytes(), 0o644); err != nil {
		return Result{}, err
	}
	r, err := dist.OpenPart(dir, v)
	if err != nil {
		return Result{}, err
	}
	if o.UriFormat == "" {
		o.UriFormat = own.UriFormat
	}
	o.repair = true
	res, err := Publish(ctx, to, r, o)
	if err != nil {
		return res, err
	}
	c := copier{newWriting(to, o), from}
	err = c.copyLoose(ctx, own, v, res.Latest, dir)
	res.Steps = append(res.Steps, c.result.Steps...)
	return res, err
}

// documents brings what describes a version: what its SHA256SUMS lists beside the packages, and detached signatures. A region
// that has none (an original's) is no fault.
func documents(ctx context.Context, from *bucket.Client, v manifests.Version, dir string) error {
	sums := from.Base() + "/" + v.String() + "/" + build.SumsFile
	err := get(ctx, from, sums, filepath.Join(dir, build.SumsFile))
	if notThere(err) {
		return nil
	}
	if err != nil {
		return err
	}
	list, err := dist.ReadSums(filepath.Join(dir, build.SumsFile))
	if err != nil {
		return err
	}
	for name, sum := range list {
		if !dist.IsName(name) {
			return fmt.Errorf("%w: %s names %q", bucket.ErrNotBucket, sums, name)
		}
		if _, _, known := pack.Of(name); known {
			continue // is there, or is not wanted
		}
		err := from.Fetch(ctx, bucket.Want{URL: from.Base() + "/" + v.String() + "/" + name, Path: filepath.Join(dir, name), SHA256: sum})
		if err != nil {
			return err
		}
	}
	return detached(ctx, from, v, dir, list)
}

// detached brings the signatures there are.
func detached(ctx context.Context, from *bucket.Client, v manifests.Version, dir string, sums map[string]manifests.Sum) error {
	places := map[string]string{build.SumsFile: v.String() + "/" + build.SumsFile}
	for name := range sums {
		places[name] = v.String() + "/" + name
		if format, platform, ok := pack.Of(name); ok {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				continue
			}
			fixed, _ := format.Keys(v, platform)
			places[name] = fixed[0]
		}
	}
	for name, key := range places {
		for _, end := range dist.Signatures {
			err := get(ctx, from, from.Base()+"/"+key+end, filepath.Join(dir, name+end))
			if err != nil && !notThere(err) {
				return err
			}
		}
	}
	return nil
}

// notThere tells whether a region has not got something. A public bucket that may not be listed says that it denies
// what it has not.
func notThere(err error) bool {
	return errors.Is(err, bucket.ErrMissing) || errors.Is(err, bucket.ErrDenied)
}

// maxDocument bounds a document whose hash nothing names, in bytes.
const maxDocument = 4 << 20

// get fetches a small file whose hash is not known.
func get(ctx context.Context, from *bucket.Client, url, path string) error {
	b, err := from.Small(ctx, url[len(from.Base())+1:], maxDocument)
	if err != nil {
		return err
	}
	if kind := http.DetectContentType(b); kind == "text/html; charset=utf-8" {
		return fmt.Errorf("%w: %s is an HTML page", bucket.ErrNotBucket, url)
	}
	return os.WriteFile(path, b, 0o644)
}

// MirrorFolder is the folder in a mirror that stands for a region's bucket: a web server's root, or a stick, holds it, and its
// address is what install takes as --endpoint.
func MirrorFolder(dir, region string) string { return filepath.Join(dir, regions.Bucket(region)) }
