package dist

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/unpack"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// Release is a version's folder as a build wrote it, checked.
type Release struct {
	Dir       string
	Version   manifests.Version
	Manifest  *manifests.Manifest
	Files     []File // what manifests list
	Documents []File // what describes them: sums, bills of materials, statements, notes, detached signatures

	// Newer is the version of a folder beside it that holds no release, such as one that a build did not finish, though it is newer than
	// Version, which was chosen as the newest; zero: there is none.
	Newer manifests.Version
}

// File is one artifact and the keys it goes to.
type File struct {
	Name, Package string // no package: a document
	Status        string // Active, Inactive, Deprecated
	SHA256        string
	Size          int64
	Unpacked      int64    // Bytes of an archive's files; 0 for what is no archive, or where a region does not say
	Keys          []string // under the version: these never change
	Latest        []string // the copies that move to each new latest version

	Path            string // where it lies, for what is not in the release's folder
	Program, Source string // SHA-256: of the agent's program in an archive, or that a delta makes, and that it starts from; empty: not known
}

// PathOf is where a file of the release lies.
func (r *Release) PathOf(f File) string {
	if f.Path != "" {
		return f.Path
	}
	return filepath.Join(r.Dir, f.Name)
}

// Entry is how a manifest lists a file of a version.
func (f File) Entry(v manifests.Version) manifests.FileVersion {
	return manifests.FileVersion{Version: v.String(), Checksum: f.SHA256, Status: f.Status, Size: f.Size, UnpackedSize: f.Unpacked,
		ProgramChecksum: f.Program, SourceChecksum: f.Source}
}

// IsDelta tells whether a file is a delta: it is made when a release is published.
func (f File) IsDelta() bool {
	_, _, ok := manifests.ParseDeltaFile(f.Name)
	return ok
}

// Open finds a release: dir is a version's folder, or one that holds such folders; then want picks one, the newest when it
// is zero. Every file is compared with the release's manifest and with its SHA256SUMS; both must be there, and agree.
// ErrRelease otherwise.
func Open(dir string, want manifests.Version) (*Release, error) { return open(dir, want, false) }

// OpenPart reads a mirror's part of a release: SHA256SUMS may be missing, or list packages that are not there.
func OpenPart(dir string, want manifests.Version) (*Release, error) { return open(dir, want, true) }

func open(dir string, want manifests.Version, part bool) (*Release, error) {
	var newer manifests.Version
	if _, err := os.Stat(filepath.Join(dir, build.ManifestFile)); err != nil {
		if dir, newer, err = findRelease(dir, want); err != nil {
			return nil, err
		}
	}
	content, err := os.ReadFile(filepath.Join(dir, build.ManifestFile))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRelease, err)
	}
	m, err := manifests.ParseManifest(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, build.ManifestFile), err)
	}
	r := &Release{Dir: dir, Manifest: m, Newer: newer}
	for _, p := range m.Packages {
		for _, f := range p.Files {
			if err := r.add(p.Name, f, part); err != nil {
				return nil, err
			}
		}
	}
	if len(r.Files) == 0 {
		return nil, fmt.Errorf("%w: %s lists no file", ErrRelease, filepath.Join(dir, build.ManifestFile))
	}
	if !want.IsZero() && want != r.Version {
		return nil, fmt.Errorf("%w: %s holds %s, not %s", ErrRelease, dir, r.Version, want)
	}
	return r, r.describe(part)
}

// findRelease finds the folder of a version below dir. newer is the highest version of a folder without a release, where it is above the
// one that was found and none is named.
func findRelease(dir string, want manifests.Version) (at string, newer manifests.Version, err error) {
	found, _ := filepath.Glob(filepath.Join(dir, "*"))
	var best manifests.Version
	for _, folder := range found {
		v, err := manifests.ParseVersion(filepath.Base(folder))
		if err != nil || (!want.IsZero() && v != want) {
			continue
		}
		_, err = os.Stat(filepath.Join(folder, build.ManifestFile))
		switch {
		case err != nil && newer.Less(v):
			newer = v
		case err == nil && best.Less(v):
			best, at = v, folder
		}
	}
	switch {
	case at == "" && !want.IsZero():
		return "", newer, fmt.Errorf("%w: no version %s in %s", ErrRelease, want, dir)
	case at == "":
		return "", newer, fmt.Errorf("%w: no %s in %s or in a folder of it", ErrRelease, build.ManifestFile, dir)
	case !best.Less(newer):
		newer = manifests.Version{}
	}
	return at, newer, nil
}

func (r *Release) add(pkg string, f manifests.File, part bool) error {
	if len(f.AvailableVersions) != 1 {
		return fmt.Errorf("%w: the manifest of a release has one version of each file, not so for %s", ErrRelease, f.Name)
	}
	if !IsName(pkg) || !IsName(f.Name) {
		return fmt.Errorf("%w: the manifest names %q of %q", ErrRelease, f.Name, pkg)
	}
	entry := f.AvailableVersions[0]
	v, err := manifests.ParseVersion(entry.Version)
	if err != nil {
		return err
	}
	if !r.Version.IsZero() && v != r.Version {
		return fmt.Errorf("%w: the manifest names the versions %s and %s", ErrRelease, r.Version, v)
	}
	r.Version = v
	path := filepath.Join(r.Dir, f.Name)
	sum, err := entry.Sum()
	if err != nil {
		return err
	}
	if err := bucket.CheckFile(path, sum); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	unpacked := entry.UnpackedSize
	if !part { // a mirror lists what its region lists
		if unpacked, err = unpack.Size(path); err != nil {
			return fmt.Errorf("%w: %w", ErrRelease, err)
		}
	}
	if entry.UnpackedSize != 0 && entry.UnpackedSize != unpacked {
		return fmt.Errorf("%w: the files in %s have %d bytes, the manifest says %d", ErrRelease, f.Name, unpacked, entry.UnpackedSize)
	}
	file := File{Name: f.Name, Package: pkg, SHA256: sum.String(), Size: info.Size(), Unpacked: unpacked, Status: manifests.StatusOf(entry),
		Program: entry.ProgramChecksum, Source: entry.SourceChecksum, Keys: []string{pkg + "/" + v.String() + "/" + f.Name}}
	if format, platform, ok := pack.Of(f.Name); ok {
		file.Keys, file.Latest = format.Keys(v, platform)
	}
	r.Files = append(r.Files, file)
	return nil
}

// Active tells whether any file of the release may be installed.
func (r *Release) Active() bool {
	return slices.ContainsFunc(r.Files, func(f File) bool { return f.Status == manifests.Active })
}

// Bytes is what a publication writes for packages.
func (r *Release) Bytes(latest bool) (n int64) {
	for _, f := range slices.Concat(r.Files, r.Documents) {
		n += f.Size * int64(len(f.Keys))
		if latest {
			n += f.Size * int64(len(f.Latest))
		}
	}
	return n
}

// Names are the names of the files, sorted.
func (r *Release) Names() []string {
	var list []string
	for _, f := range r.Files {
		list = append(list, f.Name)
	}
	slices.Sort(list)
	return list
}
