package manifests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Status of a version in a manifest.
const (
	Active     = "Active"
	Inactive   = "Inactive"
	Deprecated = "Deprecated"
)

// ErrManifest says that a manifest cannot be used; the text names the fault in the original's words (docs/protocol/update.md,
// "Manifest file").
var ErrManifest = fault.New(fault.Region, "not a usable manifest",
	"the region's manifest is damaged, or a proxy answers in its place")

// MaxManifest is the most bytes a manifest may have.
const MaxManifest = 16 << 20

// Manifest is a region's ssm-agent-manifest.json. Keys are read in any letter case (published ones spell CheckSum) and
// written as below, so that the original reads ours.
type Manifest struct {
	SchemaVersion string    `json:"SchemaVersion"`
	UriFormat     string    `json:"UriFormat"` // template with {Region} {PackageName} {PackageVersion} {FileName}
	Packages      []Package `json:"Packages"`
}

// Package is one named package of a manifest.
type Package struct {
	Name  string `json:"Name"`
	Files []File `json:"Files"`
}

// File is one file of a package with the versions a region has of it.
type File struct {
	Name              string        `json:"Name"`
	AvailableVersions []FileVersion `json:"AvailableVersions"`
}

// FileVersion is one version of a file.
type FileVersion struct {
	Version  string `json:"Version"`
	Checksum string `json:"Checksum"`         // as it stands in the file, unchecked; see [FileVersion.Sum]
	Status   string `json:"Status,omitempty"` // empty means Active
	Size     int64  `json:"Size,omitempty"`   // bytes; ours, originals ignore it

	// UnpackedSize is how much an archive holds, in bytes; 0: not listed. Ours, originals ignore it.
	UnpackedSize int64 `json:"UnpackedSize,omitempty"`

	// ProgramChecksum is the SHA-256 of the agent's program that the archive holds, or that the delta makes (see [DeltaFile]);
	// SourceChecksum that of the program a delta starts from. Ours, originals ignore them.
	ProgramChecksum string `json:"ProgramChecksum,omitempty"`
	SourceChecksum  string `json:"SourceChecksum,omitempty"`
}

// DefaultUriFormat is the template of the real buckets (docs/protocol/update.md, "Manifest file").
const DefaultUriFormat = "https://s3.{Region}.amazonaws.com/amazon-ssm-{Region}/{PackageName}/{PackageVersion}/{FileName}"

// NewManifest is an empty manifest with the given template.
func NewManifest(uriFormat string) *Manifest {
	return &Manifest{SchemaVersion: "1.0", UriFormat: uriFormat}
}

// ParseManifest reads a manifest. An HTML page, cut-off JSON or a missing UriFormat is ErrManifest.
func ParseManifest(content []byte) (*Manifest, error) {
	content = bytes.TrimSpace(bytes.TrimPrefix(content, []byte("\uFEFF")))
	if len(content) > MaxManifest {
		return nil, fmt.Errorf("%w: it has %d bytes, at most %d expected", ErrManifest, len(content), MaxManifest)
	}
	if len(content) > 0 && content[0] == '<' {
		return nil, fmt.Errorf("%w: it is an HTML or XML page (a proxy or login page?)", ErrManifest)
	}
	var m Manifest
	if err := json.Unmarshal(content, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if m.UriFormat == "" {
		return nil, fmt.Errorf("%w: uri format cannot be null in the Manifest file", ErrManifest)
	}
	return &m, nil
}

// Bytes is the manifest as a file: indented JSON, versions in ascending order.
func (m *Manifest) Bytes() []byte {
	m.sort()
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic(err) // strings and numbers only
	}
	return append(b, '\n')
}

func (m *Manifest) sort() {
	for _, p := range m.Packages {
		for _, f := range p.Files {
			slices.SortStableFunc(f.AvailableVersions, func(x, y FileVersion) int {
				return parsed(x.Version).Compare(parsed(y.Version))
			})
		}
	}
}

// parsed is the version of a text, no version for bad text.
func parsed(text string) Version {
	v, _ := ParseVersion(text)
	return v
}

// Add puts one release of a file in, replacing an entry of the same version.
func (m *Manifest) Add(pkg, file string, r FileVersion) {
	f := m.file(pkg, file)
	for i, old := range f.AvailableVersions {
		if same(old.Version, r.Version) {
			f.AvailableVersions[i] = r
			return
		}
	}
	f.AvailableVersions = append(f.AvailableVersions, r)
}

// file finds or makes the entry of a file.
func (m *Manifest) file(pkg, file string) *File {
	i := slices.IndexFunc(m.Packages, func(p Package) bool { return p.Name == pkg })
	if i < 0 {
		m.Packages = append(m.Packages, Package{Name: pkg})
		i = len(m.Packages) - 1
	}
	p := &m.Packages[i]
	j := slices.IndexFunc(p.Files, func(f File) bool { return f.Name == file })
	if j < 0 {
		p.Files = append(p.Files, File{Name: file})
		j = len(p.Files) - 1
	}
	return &p.Files[j]
}

// Merge adds all entries of other; m's own template stays.
func (m *Manifest) Merge(other *Manifest) {
	for _, p := range other.Packages {
		for _, f := range p.Files {
			for _, r := range f.AvailableVersions {
				m.Add(p.Name, f.Name, r)
			}
		}
	}
}

// SetStatus sets the status of a version in every file of a package and tells how many entries it touched.
func (m *Manifest) SetStatus(pkg string, v Version, status string) int {
	n := 0
	for i := range m.Packages {
		if m.Packages[i].Name != pkg {
			continue
		}
		for j := range m.Packages[i].Files {
			list := m.Packages[i].Files[j].AvailableVersions
			for k := range list {
				if same(list[k].Version, v.String()) {
					list[k].Status = status
					n++
				}
			}
		}
	}
	return n
}

// same compares two version texts, as versions where both are.
func same(x, y string) bool {
	if v := parsed(x); v.set {
		return v == parsed(y)
	}
	return strings.TrimSpace(x) == strings.TrimSpace(y)
}
