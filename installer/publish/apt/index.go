package apt

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/ulikunitz/xz"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Suite is one of the lists of versions that a client can follow.
type Suite string

// The suites.
const (
	Stable Suite = "stable"
	Latest Suite = "latest"
)

// Dists is the folder of the suite.
func (s Suite) Dists() string { return "dists/" + string(s) }

// ReleaseKey is the file that says what is current.
func (s Suite) ReleaseKey() string { return s.Dists() + "/Release" }

// SignatureKey is the detached signature of that.
func (s Suite) SignatureKey() string { return s.Dists() + "/Release.gpg" }

// InReleaseKey is the same with the signature around it.
func (s Suite) InReleaseKey() string { return s.Dists() + "/InRelease" }

// ListsKey is the publisher's record of lists under their hashes; clients do not read it.
func (s Suite) ListsKey() string { return s.Dists() + "/lists.json" }

// Package is one package of the repository.
type Package struct {
	Key     string // in the bucket
	SHA256  string // hex
	Size    int64
	Control string // its control file
}

// File is one file to write.
type File struct {
	Key  string
	Data []byte
}

// Index is what the repository's packages come to.
type Index struct {
	suite  Suite
	Hashed []File // by-hash: written first, never changed
	Named  []File // the same content under its usual names
}

// Make builds the package lists of every architecture.
func (s Suite) Make(list []Package) (Index, error) {
	texts := map[string]*bytes.Buffer{}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Package) int { return cmp.Compare(a.Key, b.Key) })
	for _, p := range list {
		arch := field(p.Control, "Architecture")
		if arch == "" || strings.ContainsAny(arch, "/ ") {
			return Index{}, fmt.Errorf("%w: %s names no architecture", ErrDeb, p.Key)
		}
		if texts[arch] == nil {
			texts[arch] = &bytes.Buffer{}
		}
		fmt.Fprintf(texts[arch], "%s\nFilename: %s\nSize: %d\nSHA256: %s\n\n", strings.TrimRight(p.Control, "\n"), p.Key, p.Size,
			strings.ToLower(p.SHA256))
	}
	x := Index{suite: s}
	for _, arch := range sorted(texts) {
		if err := x.add(s.Dists()+"/main/binary-"+arch+"/", texts[arch].Bytes()); err != nil {
			return Index{}, err
		}
	}
	return x, nil
}

func sorted(m map[string]*bytes.Buffer) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// add is one architecture's list, plain and packed.
func (x *Index) add(folder string, text []byte) error {
	var small, smaller bytes.Buffer
	g, err := gzip.NewWriterLevel(&small, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := g.Write(text); err != nil {
		return err
	}
	if err := g.Close(); err != nil {
		return err
	}
	z, err := xz.NewWriter(&smaller)
	if err != nil {
		return err
	}
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	for name, data := range map[string][]byte{"Packages": text, "Packages.gz": small.Bytes(), "Packages.xz": smaller.Bytes()} {
		x.Hashed = append(x.Hashed, File{folder + "by-hash/SHA256/" + host.SHA256Bytes(data), data})
		x.Named = append(x.Named, File{folder + name, data})
	}
	byKey := func(a, b File) int { return strings.Compare(a.Key, b.Key) }
	slices.SortFunc(x.Hashed, byKey)
	slices.SortFunc(x.Named, byKey)
	return nil
}

// Release is the file that names all others with their hashes. Clients do not go back to one with an earlier date.
func (x Index) Release(date time.Time) []byte {
	var archs []string
	for _, f := range x.Named {
		arch := strings.TrimPrefix(strings.Split(f.Key, "/")[3], "binary-")
		if !slices.Contains(archs, arch) {
			archs = append(archs, arch)
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "Origin: ssm-setup\nLabel: ssm-setup\nSuite: %s\nCodename: %[1]s\nDate: %s\n", x.suite, Stamp(date))
	fmt.Fprintf(&b, "Acquire-By-Hash: yes\nArchitectures: %s\nComponents: main\n", strings.Join(archs, " "))
	b.WriteString("Description: Agent for AWS Systems Manager\nSHA256:\n")
	for _, f := range x.Named {
		fmt.Fprintf(&b, " %s %8d %s\n", host.SHA256Bytes(f.Data), len(f.Data), strings.TrimPrefix(f.Key, x.suite.Dists()+"/"))
	}
	return b.Bytes()
}

// Lists are the keys of the lists that a Release file names, under their hashes.
func (s Suite) Lists(release []byte) (keys []string) {
	for line := range strings.Lines(string(release)) {
		f := strings.Fields(line)
		if len(f) != 3 || !strings.HasPrefix(line, " ") {
			continue
		}
		if sum, err := hex.DecodeString(f[0]); err == nil && len(sum) == sha256.Size { // it becomes a key
			keys = append(keys, s.Dists()+"/"+path.Dir(path.Clean("/" + f[2]))[1:]+"/by-hash/SHA256/"+f[0])
		}
	}
	return keys
}

// Stamp writes a time as a Release file does.
func Stamp(t time.Time) string { return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 UTC") }

// Date reads the time of a Release file; zero if it has none.
func Date(release []byte) time.Time {
	t, _ := time.Parse("Mon, 02 Jan 2006 15:04:05 UTC", field(string(release), "Date"))
	return t
}
