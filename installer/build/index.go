package build

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/unpack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// Names of the two files that describe a version's folder.
const (
	SumsFile     = "SHA256SUMS"
	ManifestFile = "manifest.json"
)

// Index looks at all artifacts in a version's folder, also those of earlier runs, and writes SHA256SUMS and manifest.json.
// The manifest's template is that of the real buckets; publishing fills in the region's own.
func Index(dir string, v manifests.Version) error {
	m := manifests.NewManifest(manifests.DefaultUriFormat)
	var sums bytes.Buffer
	found, err := artifacts(dir)
	if err != nil {
		return err
	}
	for _, a := range found {
		sum, err := host.SHA256File(filepath.Join(dir, a.File))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", sum, a.File)
		unpacked, err := unpack.Size(filepath.Join(dir, a.File))
		if err != nil {
			return err
		}
		m.Add(a.pkg, a.File, manifests.FileVersion{Version: v.String(), Checksum: sum, Status: manifests.Active, Size: a.Size,
			UnpackedSize: unpacked})
	}
	if err := writeBytes(filepath.Join(dir, SumsFile), sums.Bytes()); err != nil {
		return err
	}
	return writeBytes(filepath.Join(dir, ManifestFile), m.Bytes())
}

type listed struct {
	pack.Artifact
	pkg string
}

// artifacts are the files in a folder whose names the table makes, in the order of their names.
func artifacts(dir string) ([]listed, error) {
	var found []listed
	for _, p := range pack.Platforms() {
		for _, f := range pack.Formats() {
			name := f.File(p)
			if name == "" {
				continue
			}
			info, err := os.Stat(filepath.Join(dir, name))
			if os.IsNotExist(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			found = append(found, listed{pack.Artifact{Platform: p.String(), Format: f.Name, File: name, Size: info.Size()}, f.Package})
		}
	}
	slices.SortFunc(found, func(a, b listed) int { return strings.Compare(a.File, b.File) })
	return found, nil
}
