package dist

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// NotesFile is the release's notes, in Markdown.
const NotesFile = "RELEASENOTES.md"

// Signatures are the ends of names of detached signatures.
var Signatures = []string{".sig", ".asc"}

// describe finds a release's documents: whatever SHA256SUMS lists beside the packages, that file itself, and the detached
// signatures of all of them. A package's signature lies beside the package everywhere; the rest goes below <version>/.
func (r *Release) describe(part bool) error {
	sums, err := ReadSums(filepath.Join(r.Dir, build.SumsFile))
	if err != nil {
		return err
	}
	if err := r.agree(sums, part); err != nil {
		return err
	}
	packages := r.Names()
	for name, want := range sums {
		if slices.Contains(packages, name) {
			continue
		}
		if _, _, known := pack.Of(name); known && part {
			continue
		}
		f, err := r.document(name, r.Version.String()+"/"+name)
		if err != nil {
			return fmt.Errorf("%w: %s lists %s: %w", ErrRelease, build.SumsFile, name, err)
		}
		if f.SHA256 != want.String() {
			return fmt.Errorf("%w: %s has SHA-256 %s, %s says %s", ErrRelease, name, f.SHA256, build.SumsFile, want)
		}
	}
	if len(sums) > 0 {
		if _, err := r.document(build.SumsFile, r.Version.String()+"/"+build.SumsFile); err != nil {
			return err
		}
	}
	return r.signatures()
}

// agree compares the manifest with SHA256SUMS.
func (r *Release) agree(sums map[string]manifests.Sum, part bool) error {
	if len(sums) == 0 && !part {
		return fmt.Errorf("%w: there is no %s in %s", ErrRelease, build.SumsFile, r.Dir)
	}
	for _, f := range r.Files {
		if f.IsDelta() {
			continue // made after the sums were
		}
		if sum, listed := sums[f.Name]; listed && sum.String() != f.SHA256 || !listed && len(sums) > 0 {
			return fmt.Errorf("%w: %s and %s do not agree about %s", ErrRelease, build.ManifestFile, build.SumsFile, f.Name)
		}
	}
	return nil
}

// document adds one.
func (r *Release) document(name string, keys ...string) (File, error) {
	if !IsName(name) {
		return File{}, fmt.Errorf("%w: %q in %s is no file's name", ErrRelease, name, build.SumsFile)
	}
	path := filepath.Join(r.Dir, name)
	info, err := os.Stat(path)
	if err != nil {
		return File{}, err
	}
	sum, err := host.SHA256File(path)
	if err != nil {
		return File{}, err
	}
	d := File{Name: name, SHA256: sum, Size: info.Size(), Keys: keys}
	r.Documents = append(r.Documents, d)
	return d, nil
}

// signatures adds the detached signatures that lie beside packages and documents.
func (r *Release) signatures() error {
	for _, f := range slices.Concat(r.Files, r.Documents) {
		for _, end := range Signatures {
			name := f.Name + end
			if r.has(name) {
				continue
			}
			_, err := os.Stat(filepath.Join(r.Dir, name))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			if _, err := r.document(name, ended(f.Keys, end)...); err != nil {
				return err
			}
			r.Documents[len(r.Documents)-1].Latest = ended(f.Latest, end)
		}
	}
	return nil
}

func (r *Release) has(name string) bool {
	return slices.ContainsFunc(slices.Concat(r.Files, r.Documents), func(f File) bool { return f.Name == name })
}

func ended(keys []string, end string) []string {
	var list []string
	for _, k := range keys {
		list = append(list, k+end)
	}
	return list
}

// ReadSums reads a SHA256SUMS file; one that is missing is empty.
func ReadSums(path string) (map[string]manifests.Sum, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseSums(f)
}

func parseSums(r io.Reader) (map[string]manifests.Sum, error) {
	sums := map[string]manifests.Sum{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		text, name, ok := strings.Cut(lines.Text(), " ")
		sum, err := manifests.ParseSum(text)
		if !ok || err != nil {
			return nil, fmt.Errorf("%w: %s holds %q", ErrRelease, build.SumsFile, lines.Text())
		}
		sums[strings.TrimLeft(name, " *")] = sum
	}
	return sums, lines.Err()
}
