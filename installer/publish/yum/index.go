package yum

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Folder is a place of a repository in the bucket, with a slash at its end: what stands behind the bucket's address in a client's baseurl.
type Folder string

// The folders.
const (
	Root   Folder = "" // as Latest, for clients that were set up before there were folders
	Stable Folder = "stable/"
	Latest Folder = "latest/"
)

// RepomdKey is the file that says what is current.
func (f Folder) RepomdKey() string { return string(f) + "repodata/repomd.xml" }

// SignatureKey is the detached signature of that.
func (f Folder) SignatureKey() string { return f.RepomdKey() + ".asc" }

// PublicKeyKey is the key of the signature, where zypper looks for it.
func (f Folder) PublicKeyKey() string { return f.RepomdKey() + ".key" }

// ListsKey is the publisher's record of lists under their hashes; clients do not read it.
func (f Folder) ListsKey() string { return string(f) + "repodata/lists.json" }

// up leads from the folder to the bucket.
func (f Folder) up() string { return strings.Repeat("../", strings.Count(string(f), "/")) }

// File is one file to write.
type File struct {
	Key  string
	Data []byte
}

// Index is what the repository's packages come to.
type Index struct {
	folder Folder
	Hashed []File // written first, never changed
	data   []data
}

// data is an entry of repomd.xml.
type data struct {
	kind, key        string
	sum, openSum     string
	size, openLength int
}

// Make builds the three lists.
func (f Folder) Make(list []Package) (Index, error) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Package) int { return cmp.Compare(a.Key, b.Key) })
	primary := primaryList{Xmlns: "http://linux.duke.edu/metadata/common", Rpm: "http://linux.duke.edu/metadata/rpm", Count: len(list)}
	names := namedList{XMLName: xml.Name{Local: "filelists"}, Xmlns: "http://linux.duke.edu/metadata/filelists", Count: len(list)}
	other := namedList{XMLName: xml.Name{Local: "otherdata"}, Xmlns: "http://linux.duke.edu/metadata/other", Count: len(list)}
	for _, p := range list {
		entry := p.primary()
		entry.Location.Href = f.up() + p.Key
		primary.Packages = append(primary.Packages, entry)
		names.Packages = append(names.Packages, namedPackage{ID: p.id(), Name: p.main.text(tagName), Arch: p.main.text(tagArch),
			Version: p.evr(), Files: p.files()})
		other.Packages = append(other.Packages, namedPackage{ID: p.id(), Name: p.main.text(tagName), Arch: p.main.text(tagArch),
			Version: p.evr(), Changes: p.changes()})
	}
	x := Index{folder: f}
	for _, l := range []struct {
		kind    string
		content any
	}{{"primary", primary}, {"filelists", names}, {"other", other}} {
		if err := x.add(l.kind, l.content); err != nil {
			return Index{}, err
		}
	}
	return x, nil
}

func (p Package) id() string { return strings.ToLower(p.SHA256) }

// add is one list, packed under a name with its hash.
func (x *Index) add(kind string, content any) error {
	text, err := xml.MarshalIndent(content, "", " ")
	if err != nil {
		return err
	}
	text = append([]byte(xml.Header), append(text, '\n')...)
	var small bytes.Buffer
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
	d := data{kind: kind, sum: host.SHA256Bytes(small.Bytes()), openSum: host.SHA256Bytes(text), size: small.Len(), openLength: len(text)}
	d.key = "repodata/" + d.sum + "-" + kind + ".xml.gz"
	x.Hashed = append(x.Hashed, File{string(x.folder) + d.key, small.Bytes()})
	x.data = append(x.data, d)
	return nil
}

// Repomd is the file that names the lists. Clients do not go back to an earlier one.
func (x Index) Repomd(date time.Time) []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	fmt.Fprintf(&b, "<repomd xmlns=\"http://linux.duke.edu/metadata/repo\" xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\n"+
		" <revision>%d</revision>\n", date.Unix())
	for _, d := range x.data {
		fmt.Fprintf(&b, " <data type=%q>\n  <checksum type=\"sha256\">%s</checksum>\n  <open-checksum type=\"sha256\">%s</open-checksum>\n",
			d.kind, d.sum, d.openSum)
		fmt.Fprintf(&b, "  <location href=%q/>\n  <timestamp>%d</timestamp>\n  <size>%d</size>\n  <open-size>%d</open-size>\n </data>\n", d.key,
			date.Unix(), d.size, d.openLength)
	}
	b.WriteString("</repomd>\n")
	return b.Bytes()
}

var revision = regexp.MustCompile(`<revision>([0-9]{1,11})</revision>`)

var located = regexp.MustCompile(`href="(repodata/[0-9a-f]{64}-[a-z]+\.xml\.gz)"`)

// Lists are the keys of the lists that a repomd.xml names.
func (f Folder) Lists(repomd []byte) (keys []string) {
	for _, found := range located.FindAllSubmatch(repomd, -1) {
		keys = append(keys, string(f)+string(found[1]))
	}
	return keys
}

// Date reads the time of a repomd.xml; zero if it has none.
func Date(repomd []byte) time.Time {
	found := revision.FindSubmatch(repomd)
	if found == nil {
		return time.Time{}
	}
	n, err := strconv.ParseInt(string(found[1]), 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
