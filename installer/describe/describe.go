package describe

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// Contents is what is described.
type Contents struct {
	Dir      string // the version's folder, with artifacts and SHA256SUMS
	Version  string
	Time     time.Time // of the release, see [build.Epoch]
	Origin   Origin    // of the source, see [OriginOf]
	Notes    string    // Markdown
	Programs map[pack.Platform][]Program
}

// File is one that was written.
type File struct {
	Name   string `json:"file"`
	Kind   string `json:"kind"`
	Size   int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// subject is what is described about one platform.
type subject struct {
	Contents
	platform  pack.Platform
	programs  []Program
	artifacts []artifact
}

type artifact struct{ name, sha256 string }

// kinds is the table of what is written for each platform.
var kinds = []struct {
	kind, before, end string
	make              func(subject) ([]byte, error)
}{
	{"CycloneDX", "sbom-", ".cdx.json", cycloneDX},
	{"SPDX", "sbom-", ".spdx.json", spdx},
	{"SLSA", "provenance-", ".intoto.json", provenance},
}

// NotesFile is the name of the release's notes.
const NotesFile = "RELEASENOTES.md"

// Write describes a release's platforms and lists the files in SHA256SUMS. Those of other platforms, from earlier runs, are
// listed, too.
func Write(r Contents) ([]File, error) {
	sums, err := readSums(filepath.Join(r.Dir, build.SumsFile))
	if err != nil {
		return nil, err
	}
	var made []File
	for _, platform := range pack.Platforms() {
		programs := r.Programs[platform]
		if len(programs) == 0 {
			continue
		}
		s := subject{Contents: r, platform: platform, programs: programs, artifacts: of(platform, sums)}
		for _, k := range kinds {
			data, err := k.make(s)
			if err != nil {
				return nil, fmt.Errorf("%s for %s: %w", k.kind, platform, err)
			}
			f, err := write(r.Dir, k.before+platform.OS+"-"+platform.Arch+k.end, k.kind, data)
			if err != nil {
				return nil, err
			}
			made = append(made, f)
		}
	}
	f, err := write(r.Dir, NotesFile, "notes", []byte(r.Notes))
	if err != nil {
		return nil, err
	}
	return append(made, f), list(r.Dir, sums)
}

// of are a platform's artifacts.
func of(p pack.Platform, sums map[string]string) []artifact {
	var list []artifact
	for name, sum := range sums {
		if _, platform, ok := pack.Of(name); ok && platform == p {
			list = append(list, artifact{name, sum})
		}
	}
	slices.SortFunc(list, func(a, b artifact) int { return strings.Compare(a.name, b.name) })
	return list
}

// write makes a file whole or not at all.
func write(dir, name, kind string, data []byte) (File, error) {
	f, err := host.Create(filepath.Join(dir, name), 0o644)
	if err != nil {
		return File{}, err
	}
	defer f.Discard()
	if _, err := f.Write(data); err != nil {
		return File{}, err
	}
	return File{name, kind, int64(len(data)), host.SHA256Bytes(data)}, f.Place()
}

// list writes SHA256SUMS anew, with every description there is in the folder.
func list(dir string, sums map[string]string) error {
	for _, name := range descriptions(dir) {
		sum, err := host.SHA256File(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		sums[name] = sum
	}
	var names []string
	for name := range sums {
		names = append(names, name)
	}
	slices.Sort(names)
	var text strings.Builder
	for _, name := range names {
		fmt.Fprintf(&text, "%s  %s\n", sums[name], name)
	}
	_, err := write(dir, build.SumsFile, "sums", []byte(text.String()))
	return err
}

// descriptions are the names of this room's files in a folder.
func descriptions(dir string) []string {
	var names []string
	for _, p := range pack.Platforms() {
		for _, k := range kinds {
			names = append(names, k.before+p.OS+"-"+p.Arch+k.end)
		}
	}
	return slices.DeleteFunc(append(names, NotesFile), func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return errors.Is(err, fs.ErrNotExist)
	})
}

func readSums(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sums := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if sum, name, ok := strings.Cut(lines.Text(), "  "); ok {
			sums[name] = sum
		}
	}
	return sums, lines.Err()
}
