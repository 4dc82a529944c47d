package manifests

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrNotListed says that a manifest does not list what was asked for.
var ErrNotListed = fault.New(fault.Refused, "not in the manifest", HintUnsupported)

// Listing is one file's entry in a manifest: the only part that counts for one platform (docs/protocol/update.md, "Manifest file").
type Listing struct {
	manifest *Manifest
	pkg      string
	file     File
}

// Listing finds a file of a package. The errors carry the original's words.
func (m *Manifest) Listing(pkg, file string) (Listing, error) {
	for _, p := range m.Packages {
		if p.Name != pkg {
			continue
		}
		for _, f := range p.Files {
			if f.Name != file {
				continue
			}
			if len(f.AvailableVersions) == 0 {
				return Listing{}, fmt.Errorf("%w: at least one available version is required for the %s", ErrManifest, file)
			}
			return Listing{m, pkg, f}, nil
		}
		return Listing{}, fmt.Errorf("%w: cannot find the %s information in the Manifest file", ErrNotListed, file)
	}
	return Listing{}, fmt.Errorf("%w: cannot find the %s information in the Manifest file", ErrNotListed, pkg)
}

// Find is the entry of a version.
func (l Listing) Find(v Version) (FileVersion, bool) {
	for _, r := range l.file.AvailableVersions {
		if v.set && parsed(r.Version) == v {
			return r, true
		}
	}
	return FileVersion{}, false
}

// Versions are all readable versions, whatever their status.
func (l Listing) Versions() []Version { return l.versions(func(FileVersion) bool { return true }) }

// ActiveVersions are the versions that may be installed.
func (l Listing) ActiveVersions() []Version {
	return l.versions(func(r FileVersion) bool { return StatusOf(r) == Active })
}

func (l Listing) versions(want func(FileVersion) bool) []Version {
	var list []Version
	for _, r := range l.file.AvailableVersions {
		if v := parsed(r.Version); v.set && want(r) {
			list = append(list, v)
		}
	}
	return list
}

// Latest is the highest version whatever its status; the zero version if there is none.
func (l Listing) Latest() Version { return highest(l.Versions()) }

// LatestActive is the highest active version; the zero version if there is none.
func (l Listing) LatestActive() Version { return highest(l.ActiveVersions()) }

// Statuses are the versions that any file of a package has, with their statuses: of several, Active counts first, then Deprecated.
// [ErrNotListed] where there is no such package.
func (m *Manifest) Statuses(pkg string) (map[Version]string, error) {
	list, listed := map[Version]string{}, false
	for _, p := range m.Packages {
		if p.Name != pkg {
			continue
		}
		listed = true
		for _, f := range p.Files {
			for v, status := range (Listing{m, pkg, f}).Statuses() {
				if have, ok := list[v]; !ok || rank(status) > rank(have) {
					list[v] = status
				}
			}
		}
	}
	if !listed {
		return nil, fmt.Errorf("%w: cannot find the %s information in the Manifest file", ErrNotListed, pkg)
	}
	return list, nil
}

// rank orders statuses by what may be done with a version.
func rank(status string) int { return slices.Index([]string{"", Inactive, Deprecated, Active}, status) }

func highest(list []Version) Version {
	var best Version
	for _, v := range list {
		if best.Less(v) {
			best = v
		}
	}
	return best
}

// inactiveAlways is treated as inactive whatever a manifest says (docs/protocol/update.md, "Version rules").
var inactiveAlways = MustVersion("2.3.772.0")

// StatusOf is a release's status: Active when empty, Inactive for the one version that always is, empty for a word that is
// no status (asking the original is an error then; it never counts as active).
func StatusOf(r FileVersion) string {
	if parsed(r.Version) == inactiveAlways {
		return Inactive
	}
	switch r.Status {
	case "", Active:
		return Active
	case Inactive, Deprecated:
		return r.Status
	}
	return ""
}

// Status is the status of a version, ErrNotListed when it has no entry. The text has the original's two spaces.
func (l Listing) Status(v Version) (string, error) {
	r, ok := l.Find(v)
	if !ok {
		return "", fmt.Errorf("%w: cannot find  %s information for %s in Manifest file", ErrNotListed, l.file.Name, v)
	}
	s := StatusOf(r)
	if s == "" {
		return "", fmt.Errorf("%w: version %s of %s has unknown status %s", ErrManifest, v, l.file.Name, excerpt(r.Status))
	}
	return s, nil
}

// URL is the address of a version's file: the manifest's template filled in.
func (l Listing) URL(region string, v Version) string {
	return strings.NewReplacer("{Region}", region, "{PackageName}", l.pkg, "{PackageVersion}", v.String(),
		"{FileName}", l.file.Name).Replace(l.manifest.UriFormat)
}
